/** Certificates of an authority of the test's own, as hosted Supabase has one. */
import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { generate } from 'selfsigned';

export interface Certificates {
  /** PEM file of the authority. */
  readonly caFile: string;
  readonly ca: string;
  /** For `localhost` and 127.0.0.1. */
  readonly right: { readonly key: string; readonly cert: string };
  /** Of the same authority, for another host. */
  readonly foreign: { readonly key: string; readonly cert: string };
}

export async function makeCertificates(): Promise<Certificates> {
  const named = (value: string) => [{ name: 'commonName', value }];
  const authority = await generate(named('Intake Test CA'), {
    keyType: 'ec',
    algorithm: 'sha256',
    extensions: [{ name: 'basicConstraints', cA: true, critical: true }],
  });
  const of = async (host: string, ips: readonly string[] = []) => {
    const altNames = [{ type: 2 as const, value: host }, ...ips.map((ip) => ({ type: 7 as const, ip }))];
    const made = await generate(named(host), {
      keyType: 'ec',
      algorithm: 'sha256',
      ca: { key: authority.private, cert: authority.cert },
      extensions: [{ name: 'subjectAltName', altNames }],
    });
    return { key: made.private, cert: made.cert };
  };
  const caFile = join(await mkdtemp(join(tmpdir(), 'intake-ca-')), 'ca.pem');
  await writeFile(caFile, authority.cert);
  return {
    caFile,
    ca: authority.cert,
    right: await of('localhost', ['127.0.0.1']),
    foreign: await of('db.example.test'),
  };
}
