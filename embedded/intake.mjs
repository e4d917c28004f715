#!/usr/bin/env node
// `node_modules/.bin/intake` of a clone: npm links the programs of its packages there, and not its own.
import '../bin/intake.mjs';
