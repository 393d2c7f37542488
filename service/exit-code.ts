import { UsageError } from './store-place.ts';

/** Runs a command, and leaves its exit code: what it gives, or that of wrong words or of a failure, whose message is printed. */
export async function leaveExitCode(
	{ usage, failed }: { readonly usage: number; readonly failed: number },
	run: () => Promise<number>,
): Promise<void> {
	try {
		process.exitCode = await run();
	} catch (error) {
		process.exitCode = error instanceof UsageError ? usage : failed;
		process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
	}
}
