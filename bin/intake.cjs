#!/usr/bin/env node
// `./intake`. Not a module: Node loads none from a path with a backslash, and somebody has to say so.
if (__dirname.includes('\\') && process.platform !== 'win32') {
  console.error(`Intake cannot run here, since the path holds a backslash: ${__dirname}. Rename the folder.`);
  process.exit(2);
}
void import('./intake.mjs');
