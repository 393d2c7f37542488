import { createHash, randomBytes } from 'node:crypto';
import { expect } from 'chai';
import { openGridFsContents } from '../../store/gridfs/index.ts';
import type { ContentStore } from '../../store/index.ts';
import { openS3Contents } from '../../store/s3/index.ts';
import { basic } from '../support/checked-http-client.ts';
import { eventually } from '../support/eventually.ts';
import type { Credentials } from '../support/http-client.ts';
import { multipartBody, multipartType } from '../support/multipart.ts';
import { createBucket, startS3Server } from '../support/s3-server.ts';
import { type ServiceUnderTest, startService } from '../support/service-fixture.ts';
import { skipUnless } from '../support/skip.ts';
import { freshMongoDatabase } from '../support/test-store.ts';

const path = '/inventory/binaries';
const content = randomBytes(10_000_000);
let made = 0;

/** A store outside the process: settings that lead the service there, and a look into it. */
interface OutsideStore {
	readonly settings: Readonly<Record<string, string>>;
	readonly contents: ContentStore;
	close(): Promise<void>;
}

const stores: readonly {
	readonly name: string;
	readonly variable: string;
	readonly redirects: boolean;
	/** Whether the documents are there, too, so that several processes may have both. */
	readonly isShared?: boolean;
	readonly open: (value: string) => Promise<OutsideStore>;
}[] = [
	{
		name: 'GridFS',
		variable: 'MONGODB_TEST_URL',
		redirects: false,
		open: async (value) => {
			const address = new URL(value);
			address.pathname = `/journey${process.pid}${++made}`;
			const contents = await openGridFsContents({ url: address.href, timeoutMilliseconds: 5000 });
			const settings = { BINARIES_STORE: 'gridfs', BINARIES_MONGODB_URL: address.href };
			return { settings, contents, close: () => contents.close() };
		},
	},
	{
		name: 'GridFS beside the documents',
		variable: 'MONGODB_TEST_URL',
		redirects: false,
		isShared: true,
		open: async (value) => {
			const place = freshMongoDatabase(value);
			const contents = await openGridFsContents({ ...place, timeoutMilliseconds: 5000 });
			const close = async () => {
				await contents.close();
				await place.drop();
			};
			return { settings: { MONGODB_URL: place.url, MONGODB_DATABASE: place.database }, contents, close };
		},
	},
	{
		name: 'S3',
		variable: 'MOTO_SERVER',
		redirects: true,
		open: async (value) => {
			const server = await startS3Server(value);
			await createBucket(server, 'journey');
			const { endpoint, credentials } = server;
			const place = { bucket: 'journey', prefix: 'b/', region: 'us-east-1', endpoint };
			const contents = await openS3Contents({
				...place,
				hasPathStyle: true,
				credentials,
				linkSeconds: 60,
				timeoutMilliseconds: 30_000,
			});
			const settings = {
				BINARIES_STORE: 's3',
				BINARIES_REDIRECT: 'users',
				S3_BUCKET: place.bucket,
				S3_PREFIX: place.prefix,
				S3_ENDPOINT: endpoint,
				S3_PATH_STYLE: 'true',
				S3_ACCESS_KEY_ID: credentials.accessKeyId,
				S3_SECRET_ACCESS_KEY: credentials.secretAccessKey,
			};
			return {
				settings,
				contents,
				close: async () => {
					await contents.close();
					await server.stop();
				},
			};
		},
	},
];

for (const { name, variable, redirects, isShared = false, open } of stores) {
	describe(`journeys/binary-stores: ${name}`, function () {
		this.timeout(60_000);
		const value = process.env[variable] ?? '';
		let outside: OutsideStore;
		let service: ServiceUnderTest;
		let other: ServiceUnderTest | undefined;
		before(async function () {
			skipUnless(value !== '', `${variable} is not set`).call(this);
			outside = await open(value);
			const settings = { BINARIES_SWEEP_SECONDS: '1', ...outside.settings };
			service = await startService(settings);
			if (isShared) other = await startService(settings);
		});
		after(async () => {
			await service?.close();
			await other?.close();
			await outside?.close();
		});

		const call = ({ user, password }: Credentials, id: string, init: RequestInit = {}, at = service) =>
			fetch(`${at.urls.http}${path}${id}`, {
				...init,
				headers: { authorization: basic(`${user}:${password}`), ...init.headers },
				redirect: 'manual',
			});

		async function upload(): Promise<string> {
			const body = multipartBody([{ name: 'file', fileName: 'tool.deb', type: 'application/x-deb', content }]);
			const answer = await call(service.admin, '', {
				method: 'POST',
				headers: { 'content-type': multipartType },
				body: new Uint8Array(body),
			});
			expect(answer.status).to.equal(201);
			return ((await answer.json()) as { id: string }).id;
		}

		async function keys(): Promise<string[]> {
			const found: string[] = [];
			for await (const { key } of outside.contents.list()) found.push(key);
			return found;
		}

		it('keeps equal files once and gives them whole and in parts, to users and devices', async () => {
			const [one, two] = [await upload(), await upload()];
			expect(await keys()).to.have.length(1);
			const device = await service.register(`device-${name.replaceAll(' ', '-')}`);
			await service.operator.http.post('/inventory/managedObjects', { type: 'c8y_ConfigurationDump', url: `${path}/${one}` });
			const whole = await call(device, `/${one}`);
			expect([whole.status, whole.headers.get('content-length')]).to.deep.equal([200, '10000000']);
			expect(Buffer.from(await whole.arrayBuffer()).equals(content)).to.equal(true);
			const part = await call(device, `/${one}`, { headers: { range: 'bytes=5000000-9000000' } });
			expect(part.status).to.equal(206);
			expect(Buffer.from(await part.arrayBuffer()).equals(content.subarray(5_000_000, 9_000_001))).to.equal(true);

			const asked = await call(service.admin, `/${one}`);
			expect(asked.status).to.equal(redirects ? 307 : 200);
			const location = asked.headers.get('location') ?? '';
			// The server of the tests does not answer with the headers that the address asks for, as S3 does.
			const wanted = redirects ? new URL(location).searchParams : undefined;
			expect(wanted?.get('response-content-type') ?? asked.headers.get('content-type')).to.equal('application/x-deb');
			expect(wanted?.get('response-content-disposition') ?? asked.headers.get('content-disposition')).to.equal(
				'attachment; filename="tool.deb"',
			);
			const followed = redirects ? await fetch(location) : asked;
			const digest = createHash('sha256').update(Buffer.from(await followed.arrayBuffer()));
			const etag = `"${digest.digest('hex')}"`;
			expect((await call(service.admin, `/${one}`, { headers: { 'if-none-match': etag } })).status).to.equal(304);

			expect((await call(service.admin, `/${one}`, { method: 'DELETE' })).status).to.equal(204);
			const head = await call(service.admin, `/${two}`, { method: 'HEAD' });
			expect([head.status, head.headers.get('etag')]).to.deep.equal([200, etag]);
			const last = await call(service.admin, `/${two}`, {}, other);
			if (!redirects) expect(Buffer.from(await last.arrayBuffer()).equals(content)).to.equal(true);
			// Whoever sweeps hears of it from the store.
			expect((await call(service.admin, `/${two}`, { method: 'DELETE' }, other)).status).to.equal(204);
			await eventually('the bytes are gone', keys, ({ length }) => length === 0);
		});
	});
}
