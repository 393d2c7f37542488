import { copySpec } from './copy-records.ts';
import type { CollectionSpec, StoredDocument } from './document-store.ts';
import { leaseSpec } from './lease.ts';
import { processSpec } from './process-records.ts';
import { counterSpec } from './sequence.ts';

export const storeCollections: readonly CollectionSpec<StoredDocument>[] = [counterSpec, leaseSpec, processSpec, copySpec];
