/** Objects of the embedded Supabase Storage as files: `<folder>/<bucket>/<key>`, written whole or not at all. */
import { createHash, randomUUID } from 'node:crypto';
import { createReadStream, createWriteStream, rmSync } from 'node:fs';
import { copyFile, mkdir, rename, rm, stat } from 'node:fs/promises';
import { dirname, join, resolve, sep } from 'node:path';
import { Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { App } from '@supabase/lite';

type StorageAdapter = NonNullable<App['_storageAdapter']>;
type Metadata = Awaited<ReturnType<StorageAdapter['headObject']>>;

/** @throws Error when a key leaves the folder; ENOENT as `node:fs` throws it when an object is absent. */
export function createObjectStore(folder: string): StorageAdapter {
  const root = resolve(folder);
  const drafts = join(root, '.drafts');
  rmSync(drafts, { recursive: true, force: true }); // one process serves the folder: these are of one that was killed
  const pathOf = (bucket: string, key: string): string => {
    const path = resolve(root, bucket, key);
    if (!path.startsWith(root + sep)) throw new Error('The object key leaves the storage folder');
    return path;
  };
  const describe = async (path: string): Promise<Metadata> => {
    const { size, mtime } = await stat(path);
    const eTag = `"${createHash('sha256').update(`${path}:${size}:${mtime.getTime()}`).digest('hex').slice(0, 32)}"`;
    const mimetype = 'application/octet-stream';
    return { cacheControl: 'no-cache', contentLength: size, size, mimetype, lastModified: mtime, eTag };
  };
  const place = async (path: string, write: (aside: string) => Promise<unknown>): Promise<void> => {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    await mkdir(drafts, { recursive: true, mode: 0o700 });
    const aside = join(drafts, randomUUID());
    try {
      await write(aside);
      await rename(aside, path);
    } finally {
      await rm(aside, { force: true });
    }
  };
  const remove = (bucket: string, key: string): Promise<void> => rm(pathOf(bucket, key), { force: true });

  return {
    driver: 'files',
    async getObject(bucket, key, _version, headers) {
      const path = pathOf(bucket, key);
      const metadata = await describe(path).catch((error: NodeJS.ErrnoException) => {
        if (error.code !== 'ENOENT') throw error;
        return undefined;
      });
      if (!metadata) return { httpStatusCode: 404, metadata: {} as Metadata }; // listed, but its file is gone
      if (headers?.ifNoneMatch === metadata.eTag) return { httpStatusCode: 304, metadata };
      const body = Readable.toWeb(createReadStream(path)) as ReadableStream;
      return { httpStatusCode: 200, metadata, body };
    },
    async uploadObject(bucket, key, _version, body, contentType, cacheControl) {
      const path = pathOf(bucket, key);
      const hash = createHash('md5'); // what Storage calls an eTag
      const hashed = new Transform({
        transform(chunk: Buffer, _encoding, done) {
          hash.update(chunk);
          done(null, chunk);
        },
      });
      const source = body instanceof Uint8Array ? Readable.from([Buffer.from(body)]) : Readable.fromWeb(body as never);
      await place(path, (aside) => pipeline(source, hashed, createWriteStream(aside, { mode: 0o600, flush: true })));
      return { ...(await describe(path)), mimetype: contentType, cacheControl, eTag: `"${hash.digest('hex')}"` };
    },
    deleteObject: (bucket, key) => remove(bucket, key),
    async deleteObjects(bucket, keys) {
      for (const key of keys) await remove(bucket, key);
    },
    async copyObject(bucket, key, _version, toBucket, toKey) {
      const path = pathOf(toBucket, toKey);
      await place(path, (aside) => copyFile(pathOf(bucket, key), aside));
      const { eTag, lastModified } = await describe(path);
      return { httpStatusCode: 200, eTag, ...(lastModified && { lastModified }) };
    },
    headObject: (bucket, key) => describe(pathOf(bucket, key)),
    privateAssetUrl: (bucket, key) => Promise.resolve(`file://${pathOf(bucket, key)}`),
  };
}
