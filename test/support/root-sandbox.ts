import { spawn, spawnSync } from 'node:child_process';
import { dirname } from 'node:path';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { within } from './eventually.ts';

/** A root folder, and how a process is started in it. Everything of this machine that it shows is read-only. */
export interface Root {
	readonly folder: string;
	readonly environment: Readonly<Record<string, string>>;
	readonly workingFolder: string;
	/** `uid:gid` */
	readonly user: string;
	/** Writable folders of this machine, by where they are seen. */
	readonly mounts: readonly (readonly [target: string, source: string])[];
	/** Whether the root folder itself may be written to; where it may not, the process has no capabilities either. */
	readonly isWritable: boolean;
}

/** Whether this machine lets a test start processes in a root folder of their own, as another user. */
export function canSandbox(): boolean {
	if (process.getuid?.() !== 0) return false;
	return spawnSync('bwrap', ['--ro-bind', '/', '/', '--unshare-pid', 'setpriv', '--version'], { stdio: 'ignore' }).status === 0;
}

/** Runs a command to its end. @throws Error with its output when it fails */
export async function runInRoot(command: readonly string[], root: Root): Promise<string> {
	const child = spawn('bwrap', sandboxArguments(command, root), { stdio: ['ignore', 'pipe', 'pipe'] });
	const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
	const [output, errors, code] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
	if (code !== 0) throw new Error(`${command.join(' ')}: ended with ${code}\n${output}${errors}`);
	return output;
}

/** Starts a command as process 1 of its root. `stop` has to be called. */
export async function startInRoot(command: readonly string[], root: Root) {
	const child = spawn('bwrap', ['--as-pid-1', '--info-fd', '3', ...sandboxArguments(command, root)], {
		stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
	});
	const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
	const output = [child.stdout, child.stderr].map((stream) => text(stream as Readable));
	const { 'child-pid': id } = JSON.parse(await text(child.stdio[3] as Readable));

	/** Sends the signal to the process itself; gives its exit code and what it has printed. */
	async function stop(signal: NodeJS.Signals): Promise<{ readonly code: number | null; readonly output: string }> {
		process.kill(id, signal);
		const late = within('the process ends', ended, 20_000);
		const code = await late.catch((error: unknown) => {
			// Not bwrap: whoever becomes another user does not die with its parent.
			process.kill(id, 'SIGKILL');
			throw error;
		});
		return { code, output: (await Promise.all(output)).join('') };
	}

	return { ended, stop };
}

function sandboxArguments(command: readonly string[], root: Root): string[] {
	const [uid = '', gid = ''] = root.user.split(':');
	const environment = { PATH: `${dirname(process.execPath)}:/usr/local/bin:/usr/bin:/bin`, HOME: '/root', ...root.environment };
	return [
		...[root.isWritable ? '--bind' : '--ro-bind', root.folder, '/'],
		...['/usr', '/etc'].flatMap((path) => ['--ro-bind', path, path]),
		...['--proc', '/proc', '--dev', '/dev', '--perms', '1777', '--tmpfs', '/tmp'],
		...root.mounts.flatMap(([target, source]) => ['--bind', source, target]),
		...['--unshare-pid', '--die-with-parent', '--clearenv', '--chdir', root.workingFolder],
		...Object.entries(environment).flatMap(([name, value]) => ['--setenv', name, value]),
		...['setpriv', `--reuid=${uid}`, `--regid=${gid}`, '--clear-groups', '--no-new-privs'],
		...(root.isWritable ? [] : ['--bounding-set=-all']),
		...command,
	];
}
