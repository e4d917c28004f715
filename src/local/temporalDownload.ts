/** Program: `temporalDownload FOLDER VERSION` lets the SDK fetch Temporal's CLI into FOLDER; it starts it once to do so. */
import { TestWorkflowEnvironment } from '@temporalio/testing';

const [downloadDir, version] = process.argv.slice(2) as [string, string];
const executable = { type: 'cached-download', downloadDir, version: `v${version}` } as const;
const environment = await TestWorkflowEnvironment.createLocal({ server: { executable, ip: '127.0.0.1', ui: false } });
await environment.teardown();
