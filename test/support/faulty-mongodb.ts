import { MongoClient } from 'mongodb';
import { startTestMongoDb, type TestMongoDb } from './mongodb.ts';

/** What the server answers instead of doing what it is asked for. */
export interface InjectedError {
	readonly errorCode?: number;
	readonly errorLabels?: readonly string[];
	/** It drops the connection instead of answering. */
	readonly closeConnection?: boolean;
	/** It answers only after `blockTimeMS`. */
	readonly blockConnection?: boolean;
	readonly blockTimeMS?: number;
}

/** A database server of one test. */
export interface FaultyMongoDb extends TestMongoDb {
	/** Lets the next `times` of these commands fail, or all of them until it is told `off`. */
	fail(times: number | 'alwaysOn' | 'off', commands: readonly string[], error: InjectedError): Promise<void>;
}

/** Starts servers that tests pause, kill, or let fail; they are gone after the test. */
export function useFaultyMongoDb(): () => Promise<FaultyMongoDb> {
	const running: TestMongoDb[] = [];
	afterEach(async () => {
		await Promise.all(running.splice(0).map((server) => server.stop()));
	});
	return async () => {
		const server = await startTestMongoDb();
		running.push(server);
		return { ...server, fail: (times, commands, error) => injectFault(server.url, times, commands, error) };
	};
}

/** What `fail` does, for a server that is somebody else's. */
export async function injectFault(
	url: string,
	times: number | 'alwaysOn' | 'off',
	failCommands: readonly string[],
	error: InjectedError,
): Promise<void> {
	const mode = typeof times === 'number' ? { times } : times;
	const client = new MongoClient(url);
	try {
		await client.db('admin').command({ configureFailPoint: 'failCommand', mode, data: { failCommands, ...error } });
	} finally {
		await client.close();
	}
}
