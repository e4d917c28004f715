FROM node:24.21.0-slim AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
COPY embedded ./embedded
RUN npm ci --no-audit --no-fund
COPY tsconfig.json tsconfig.build.json ./
COPY src ./src
RUN npm run build

FROM node:24.21.0-slim AS packages
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
COPY embedded ./embedded
# A container is given its database and its Node, so the embedded stack stays out; of the SDK's core the other platforms' builds.
RUN npm ci --omit=dev --ignore-scripts --no-audit --no-fund \
  && case "$(uname -m)" in aarch64|arm64) cpu=aarch64 ;; *) cpu=x86_64 ;; esac \
  && find node_modules/@temporalio/core-bridge/releases -mindepth 1 -maxdepth 1 ! -name "$cpu-unknown-linux-gnu" -exec rm -r {} +

FROM node:24.21.0-slim
# Temporal's connection reads the system's certificates; the slim image has none.
RUN apt-get update && apt-get install -y --no-install-recommends ca-certificates && rm -rf /var/lib/apt/lists/*
WORKDIR /app
COPY package.json ./
COPY bin ./bin
COPY supabase/migrations ./supabase/migrations
COPY supabase/bridge ./supabase/bridge
COPY supabase/rights.json ./supabase/rights.json
COPY assets ./assets
COPY schemas ./schemas
COPY --from=packages /app/node_modules ./node_modules
COPY --from=build /app/dist ./dist
RUN ln -s /app/bin/intake.cjs /usr/local/bin/intake && install -d -o node -g node -m 0700 /var/lib/intake
# Small young generation, few arenas: a worker's buffers come and go by the megabyte.
ENV NODE_ENV=production INTAKE_DIR=/var/lib/intake NODE_OPTIONS=--max-semi-space-size=4 MALLOC_ARENA_MAX=2 MALLOC_MMAP_THRESHOLD_=1048576
USER node
VOLUME /var/lib/intake
# No HEALTHCHECK: what is healthy depends on the command; docker-compose.yml has one for each.
# Running activities get 60 s to end: see stop_grace_period in docker-compose.yml.
CMD ["intake", "worker"]
