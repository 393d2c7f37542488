import { spawnSync } from 'node:child_process';
import { chownSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { buildImage, type ContainerImage, ignoreRule } from '../support/container-image.ts';
import { eventually } from '../support/eventually.ts';
import { freePort } from '../support/free-port.ts';
import { hasProgram } from '../support/programs.ts';
import { canSandbox, type Root, runInRoot, startInRoot } from '../support/root-sandbox.ts';
import { skipUnless } from '../support/skip.ts';
import { sourceFiles } from '../support/source-files.ts';

const root = join(import.meta.dirname, '../..');
const packages = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));

describe('deploy/image', function () {
	this.timeout(300_000);

	it('has a Dockerfile without a fault (hadolint)', function () {
		skipUnless(hasProgram('hadolint'), 'hadolint is not installed').call(this);
		const { status, stdout } = spawnSync('hadolint', ['--no-color', join(root, 'Dockerfile')], { encoding: 'utf8' });
		expect(stdout).to.equal('');
		expect(status).to.equal(0);
	});

	it('is built from the sources of the product and little else', () => {
		const isIgnored = ignoreRule(readFileSync(join(root, '.dockerignore'), 'utf8'));
		for (const path of [
			'.git/config',
			'.env',
			'node_modules/a',
			'data/a',
			'test/a.ts',
			'deploy/secret.env',
			'tls.pem',
			'.ci/run',
		]) {
			expect(isIgnored(path), path).to.equal(true);
		}
		const needed = sourceFiles().filter(({ path }) => !/^(test|bench|scripts|examples)\//.test(path));
		for (const path of ['.npmrc', 'package-lock.json', 'tsconfig.build.json', 'LICENSE', ...needed.map(({ path }) => path)]) {
			expect(isIgnored(path), path).to.equal(false);
		}
	});

	describe('built by its own steps', () => {
		let folder: string | undefined;
		let image: ContainerImage;
		before(async function () {
			skipUnless(canSandbox(), 'no sandbox here: it takes root, bwrap, and the right to make namespaces').call(this);
			folder = mkdtempSync(join(tmpdir(), 'image-'));
			const cache = spawnSync('npm', ['config', 'get', 'cache'], { encoding: 'utf8', cwd: root }).stdout.trim();
			mkdirSync(cache, { recursive: true });
			image = await buildImage(root, folder, { '/root/.npm': cache });
		});
		after(() => {
			if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
		});

		it('holds the product and its packages, and none that only development needs', () => {
			expect(readdirSync(join(image.folder, 'app'))).to.have.members([
				'.npmrc',
				'LICENSE',
				'dist',
				'node_modules',
				'package-lock.json',
				'package.json',
			]);
			const has = (name: string) =>
				statSync(join(image.folder, 'app/node_modules', name), { throwIfNoEntry: false }) !== undefined;
			expect(Object.keys(packages.dependencies).filter((name) => !has(name))).to.deep.equal([]);
			// Some are also packages of packages.
			const alsoNeeded = lockedForProduction();
			const unneeded = Object.keys(packages.devDependencies).filter((name) => !alsoNeeded.has(name));
			expect(unneeded).to.include('typescript');
			expect(unneeded.filter(has)).to.deep.equal([]);
			expect(readdirSync(join(image.folder, 'app/dist')))
				.to.include('service')
				.and.not.include('test');
		});

		it('says what it is, for whom, and how it is stopped', () => {
			expect(image.labels).to.include({ 'org.opencontainers.image.licenses': packages.license });
			expect(image.labels['org.opencontainers.image.version']).to.equal(packages.version);
			expect(image.user).to.match(/^[1-9]\d*:[1-9]\d*$/);
			expect(image.stopSignal).to.equal('SIGTERM');
			expect(image.volumes).to.deep.equal([image.environment.DATA_DIR]);
			const { uid, gid } = statSync(join(image.folder, image.volumes[0] ?? ''));
			expect(`${uid}:${gid}`).to.equal(image.user);
		});

		it('is healthy as its own user, without capabilities, on a read-only root, and stops when it is told to', async () => {
			const data = join(folder ?? '', 'data');
			mkdirSync(data, { mode: 0o700 });
			const [uid = 0, gid = 0] = image.user.split(':').map(Number);
			chownSync(data, uid, gid);
			const running = rootOf(image, data, { HOST: '127.0.0.1', HTTP_PORT: await freePort(), MQTT_PORT: '0' });
			const service = await startInRoot(image.command, running);
			const verdict = await eventually(
				'the health check succeeds',
				() =>
					runInRoot(image.healthCheck, running).then(
						() => 'healthy',
						(error: Error) => error.message,
					),
				(found) => found === 'healthy',
				30_000,
			).catch((error: Error) => error.message);
			const { code, output } = await service.stop(image.stopSignal as NodeJS.Signals);
			expect(verdict, output).to.equal('healthy');
			expect(output).to.include('"msg":"stopped"');
			expect(code).to.equal(0);
			expect(readdirSync(data)).to.not.be.empty;
			expect(statSync(join(data, readdirSync(data)[0] ?? '')).uid).to.equal(uid);
			const late = await runInRoot(image.healthCheck, running).catch((error: Error) => error.message);
			expect(late).to.include('ended with 1');
		});

		it('does not start on a folder that cannot be written', async () => {
			const settings = { HOST: '127.0.0.1', HTTP_PORT: '0', MQTT_PORT: '0', DATA_DIR: '/app/no-embedded-store' };
			const fault = await runInRoot(image.command, rootOf(image, undefined, settings)).catch((error: Error) => error.message);
			expect(fault).to.match(/ended with 1[\s\S]*DATA_DIR:/);
		});
	});
});

function rootOf(image: ContainerImage, data: string | undefined, settings: Readonly<Record<string, string>>): Root {
	const mounts: Root['mounts'] = data === undefined ? [] : [[image.volumes[0] ?? '', data]];
	return { ...image, environment: { ...image.environment, ...settings }, mounts, isWritable: false };
}

function lockedForProduction(): Set<string> {
	const locked: Record<string, { dev?: boolean }> = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')).packages;
	return new Set(
		Object.entries(locked)
			.filter(([path, { dev }]) => path.startsWith('node_modules/') && !dev)
			.map(([path]) => path.replace('node_modules/', '')),
	);
}
