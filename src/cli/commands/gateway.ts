/** `intake gateway`: the HTTP gateway in the foreground, until it is stopped. */
import type { Command } from 'commander';
import { react } from '../interrupt.ts';
import { addCommand, run, type Call, type CommonOptions } from '../command.ts';

export function define(program: Command): void {
  addCommand(
    program,
    'gateway',
    'Serve POST /import-projects until it is stopped',
    'INTAKE_PORT=8787 intake gateway --env prod',
  ).action(run(gatewayCommand));
}

async function gatewayCommand({ out, open }: Call<CommonOptions>): Promise<void> {
  const { config } = await open({ creates: true });
  const [{ startGateway }, { createLogger }] = await Promise.all([
    import('../../gateway/server.ts'),
    import('../../observability/log.ts'),
  ]);
  const gateway = await startGateway(config, createLogger(out.debug ? 'debug' : config.logLevel));
  out.note(`Gateway at ${gateway.url}`);
  await new Promise<void>((stop) => {
    react(stop);
    process.on('SIGTERM', stop);
  });
  out.note('Stopping when the running requests have ended');
  await gateway.shutdown();
}
