// `npm start [-- --exit]`: everything from a fresh clone to a summary of sample imports.
import { installPackages } from './install.mjs';

installPackages();
process.argv.splice(2, 0, 'demo');
await import('../bin/intake.mjs');
