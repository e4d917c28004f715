// `npm start [-- --exit]`: everything from a fresh clone to a summary of sample imports.
// Not a module: Node loads none from a path with a backslash, and somebody has to say so.
const { join } = process.getBuiltinModule('node:path');

async function start() {
  if (__dirname.includes('\\')) {
    console.error(`Intake cannot run here, since the path holds a backslash: ${__dirname}. Rename the folder.`);
    process.exit(2);
  }
  const { installPackages } = await import('./install.mjs');
  await installPackages();
  // From here on as if `intake demo` had been called.
  process.argv[1] = join(__dirname, '..', 'bin', 'intake.mjs');
  process.argv.splice(2, 0, 'demo');
  await import('../bin/intake.mjs');
}

void start();
