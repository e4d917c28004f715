/** Program: `program --dir DIR TAG` serves the gateway of an embedded stack until SIGTERM; its environment is the configuration. */
import { loadConfig } from '../config.ts';
import { endWith } from '../temporal/fault.ts';
import { createLogger } from '../observability/log.ts';
import { useProxies } from '../settings/proxy.ts';
import { startGateway } from './server.ts';

const log = createLogger('info');
try {
  const config = loadConfig();
  useProxies();
  log.level = config.logLevel;
  const gateway = await startGateway(config, log);
  process.on('SIGTERM', () => void gateway.shutdown().finally(() => process.exit(0)));
} catch (error) {
  endWith(error, log);
}
