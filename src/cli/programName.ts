/** How this program is called from where a command was given: what printed commands begin with. */
import { existsSync, realpathSync } from 'node:fs';
import { delimiter, join, relative } from 'node:path';
import { shellWord } from '../values/text.ts';
import { INSTALLATION } from './places.ts';

/**
 * `./intake` in a clone, the path of npm's link where the package is installed, elsewhere its whole path; `intake` where it is linked.
 * Never a form that lets a runner ask a registry for a package of that name, which anybody may publish.
 */
export function programName(installation = INSTALLATION, cwd = process.cwd()): string {
  const program = realOf(join(installation, 'bin', 'intake.cjs'));
  // Runners of scripts add these folders for their children only: who typed the command does not have them.
  const folders = (process.env['PATH'] ?? '').split(delimiter).filter((folder) => !folder.includes('node_modules'));
  const onPath = folders.map((folder) => join(folder, 'intake')).find((path) => existsSync(path));
  if (onPath !== undefined && realOf(onPath) === program) return 'intake';
  const [app] = installation.split('/node_modules/');
  const place = app === installation ? join(installation, 'intake') : join(app!, 'node_modules/.bin/intake');
  const isNear = `${cwd}/`.startsWith(`${app}/`) && realOf(place) === program;
  if (!isNear) return realOf(place) === program ? shellWord(place) : 'intake';
  const path = relative(cwd, place);
  return path.startsWith('.') ? path : `./${path}`;
}

function realOf(path: string): string {
  return existsSync(path) ? realpathSync(path) : path;
}
