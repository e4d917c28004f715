# The two imports of the search results runbook; both commit.
#   make import_scrape_states STATES_DIR=scrape/2025-08-04 IMPORT_TAG=Aug-04-scrape

INTAKE ?= ./intake
BATCH_SIZE ?= 25
MAX_WORKERS ?= 16

.PHONY: import_scrape_states import_scrape_states_local

# Into Supabase: database over its API, images into Storage.
import_scrape_states: backend = supabase
# Into PostgreSQL: images into the folder of objects.
import_scrape_states_local: backend = postgres

import_scrape_states import_scrape_states_local:
	$(INTAKE) import search-results --states-dir "$(STATES_DIR)" --tag "$(IMPORT_TAG)" \
		--backend $(backend) --batch-size $(BATCH_SIZE) --max-workers $(MAX_WORKERS) --commit
