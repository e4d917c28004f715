/** Program: `temporalDownload FOLDER VERSION` lets the SDK fetch Temporal's CLI into FOLDER; it starts it once to do so. */
import { native } from '@temporalio/core-bridge';
import { Runtime } from '@temporalio/worker';

const [folder, version] = process.argv.slice(2) as [string, string];
const server = await native.newEphemeralServer(Runtime.instance().native, {
  type: 'dev-server',
  exe: {
    type: 'cached-download',
    downloadDir: folder,
    version: `v${version}`,
    ttl: 0,
    sdkName: 'sdk-typescript',
    sdkVersion: '1.24.0',
  },
  namespace: 'default',
  ip: '127.0.0.1',
  port: null,
  uiPort: null,
  dbFilename: null,
  ui: false,
  log: { format: 'pretty', level: 'error' },
  extraArgs: [],
});
await native.ephemeralServerShutdown(server);
