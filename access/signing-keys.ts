import {
	createPrivateKey,
	createPublicKey,
	createSecretKey,
	generateKeyPair,
	type JsonWebKey,
	type KeyObject,
	randomBytes,
} from 'node:crypto';
import { promisify } from 'node:util';
import type { CollectionSpec, DocumentStore, Step, StoredDocument } from '../store/index.ts';

export const signingAlgorithms = ['HS256', 'RS256', 'ES256'] as const;
export type SigningAlgorithm = (typeof signingAlgorithms)[number];

/** A stored key. Its `_id` is a number, counted up; the first one of an older version is called `token`. */
interface StoredKey extends StoredDocument {
	readonly algorithm?: SigningAlgorithm;
	/** Of HS256. */
	readonly secret?: string;
	/** Of the others, in PEM. */
	readonly privateKey?: string;
	readonly creationTime?: number;
}

export const keySpec: CollectionSpec<StoredKey> = { name: 'signingKeys', indexes: [] };

/** The key that tokens without a key id are signed with. */
export const firstKeyId = 'token';

export interface SigningKey {
	readonly id: string;
	readonly algorithm: SigningAlgorithm;
	readonly signing: KeyObject;
	readonly verifying: KeyObject;
	readonly creationTime: number;
}

export interface SigningKeyOptions {
	readonly store: DocumentStore;
	/** Milliseconds since 1970. */
	readonly clock: () => number;
	/** Milliseconds that never go back. */
	readonly elapsed: () => number;
	readonly algorithm: SigningAlgorithm;
	/** Age at which a key is followed by a new one; 0 for never. */
	readonly rotationMilliseconds: number;
	/** How long tokens of a key may be good after it was followed. */
	readonly retireAfterMilliseconds: number;
}

const makePair = promisify(generateKeyPair);
const rereadMilliseconds = 1000;

/** The keys that tokens are signed with, shared by all processes on a store. The newest one signs, all of them verify. */
export async function openSigningKeys(options: SigningKeyOptions) {
	const { store, clock, elapsed, algorithm, rotationMilliseconds, retireAfterMilliseconds } = options;
	const stored = await store.collection(keySpec);
	let keys = new Map<string, SigningKey>();
	let readAt = Number.NEGATIVE_INFINITY;
	stored.watch(
		(changes) => {
			for (const { id, document } of changes) {
				if (document) keys.set(id, toSigningKey(document));
				else keys.delete(id);
			}
		},
		() => {
			readAt = Number.NEGATIVE_INFINITY;
		},
	);
	await rotate();

	/** Reads what others have made, makes a key when it is time for one, and removes those that no token needs any more. */
	async function rotate(): Promise<void> {
		await read();
		const newest = newestKey();
		const isDue = rotationMilliseconds > 0 && newest !== undefined && clock() - newest.creationTime >= rotationMilliseconds;
		if (newest === undefined || isDue) {
			// Of several processes that make one at once, one does: its number is taken for the others.
			await store.batch([{ kind: 'insert', collection: keySpec.name, document: await makeKey() }]);
			await read();
		}
		const steps = retired().map(({ id }): Step => ({ kind: 'remove', collection: keySpec.name, id }));
		if (steps.length > 0) await store.batch(steps);
		for (const { id } of retired()) keys.delete(id);
	}

	async function read(): Promise<void> {
		const found = await stored.find({ filter: {} });
		readAt = elapsed();
		for (const { _id, creationTime } of found) {
			if (creationTime !== undefined) continue;
			await stored.findOneAndUpdate({ _id, creationTime: { $exists: false } }, { $set: { creationTime: clock() } });
		}
		keys = new Map(found.map((each) => [each._id, toSigningKey({ creationTime: clock(), ...each })]));
	}

	async function makeKey(): Promise<StoredKey> {
		const _id = String(1 + Math.max(0, ...[...keys.keys()].map(numberOf)));
		const common = { _id, algorithm, creationTime: clock() };
		if (algorithm === 'HS256') return { ...common, secret: randomBytes(48).toString('base64') };
		const { privateKey } =
			algorithm === 'RS256' ? await makePair('rsa', { modulusLength: 3072 }) : await makePair('ec', { namedCurve: 'P-256' });
		return { ...common, privateKey: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString() };
	}

	function newestKey(): SigningKey | undefined {
		return inOrder()
			.filter((key) => key.algorithm === algorithm)
			.at(-1);
	}

	function retired(): SigningKey[] {
		const newest = newestKey();
		return inOrder().filter((key, index, all) => {
			const next = all[index + 1];
			return key !== newest && next !== undefined && clock() - next.creationTime > retireAfterMilliseconds;
		});
	}

	function inOrder(): SigningKey[] {
		return [...keys.values()].sort((a, b) => numberOf(a.id) - numberOf(b.id));
	}

	/** The key to sign with. */
	function current(): SigningKey {
		const newest = newestKey();
		if (newest === undefined) throw new Error('the signing keys of tokens were removed from the store: restart the service');
		return newest;
	}

	/** The key with this id; one that is not known is looked for in the store, though not more than once a second. */
	async function find(id: string): Promise<SigningKey | undefined> {
		const known = keys.get(id);
		if (known || elapsed() - readAt < rereadMilliseconds) return known;
		await read();
		return keys.get(id);
	}

	/** The public keys, as a JSON Web Key Set has them [RFC 7517]; keys of HS256 are not public. */
	function publicKeys(): JsonWebKey[] {
		return inOrder()
			.filter((key) => key.algorithm !== 'HS256')
			.map(({ id, algorithm: alg, verifying }) => ({ ...verifying.export({ format: 'jwk' }), kid: id, use: 'sig', alg }));
	}

	return { current, find, rotate, publicKeys };
}

function numberOf(id: string): number {
	return id === firstKeyId ? 0 : Number(id);
}

function toSigningKey({ _id: id, algorithm = 'HS256', secret = '', privateKey, creationTime = 0 }: StoredKey): SigningKey {
	if (privateKey === undefined) {
		const key = createSecretKey(Buffer.from(secret));
		return { id, algorithm, signing: key, verifying: key, creationTime };
	}
	const signing = createPrivateKey(privateKey);
	return { id, algorithm, signing, verifying: createPublicKey(signing), creationTime };
}
