/** A secret as the database knows it: by its hash. Tenants, gateway and pushes agree on it here. */
import { createHash, randomBytes } from 'node:crypto';

export const hashSecret = (secret: string): string => createHash('sha256').update(secret).digest('hex');

/** 256 random bits; what needs no salt when it is hashed. */
export const newSecret = (): string => randomBytes(32).toString('base64url');
