import { z } from 'zod';
import { mongodbUrl, optional, setting, text, wholeNumber } from './setting.ts';

const mebibyte = 1024 * 1024;

/** The settings of a MongoDB. */
export const mongodb = z
	.object({
		url: optional(
			'MONGODB_URL',
			mongodbUrl,
			'Address of a MongoDB replica set (one of a single server will do), which takes the place of the embedded database; unset means the embedded one.',
		),
		database: optional(
			'MONGODB_DATABASE',
			text('1 to 38 letters, digits, hyphens and underscores', /^[A-Za-z0-9_-]{1,38}$/),
			'Name of the database; unset, it is the one in the path of MONGODB_URL, or `deviceSoftware`.',
		),
		poolMax: setting(
			'MONGODB_POOL_MAX',
			wholeNumber(5, 1000),
			50,
			'How many connections to one server this process opens at most, and as many again where GridFS keeps binaries.',
		),
		poolMin: setting('MONGODB_POOL_MIN', wholeNumber(0, 1000), 0, 'How many of them it keeps open while nothing is to do.'),
		serverSelectionTimeoutSeconds: setting(
			'MONGODB_SERVER_SELECTION_TIMEOUT_SECONDS',
			wholeNumber(1, 600),
			15,
			'Seconds that a read or write waits for a server that can take it, at a start or when the primary has changed.',
		),
		connectTimeoutSeconds: setting(
			'MONGODB_CONNECT_TIMEOUT_SECONDS',
			wholeNumber(1, 600),
			5,
			'Seconds that opening one connection may take, and that a server has to answer when it is looked at.',
		),
		heartbeatSeconds: setting(
			'MONGODB_HEARTBEAT_SECONDS',
			wholeNumber(1, 60),
			2,
			'Seconds between two looks at each server; whatever waits for one that does not answer them fails after this and MONGODB_CONNECT_TIMEOUT_SECONDS.',
		),
		answerTimeoutSeconds: setting(
			'MONGODB_ANSWER_TIMEOUT_SECONDS',
			wholeNumber(5, 3600),
			60,
			'Seconds that a server which is well may take to answer before the connection is given up; the first start on a large database makes its indexes in this time.',
		),
		transactionTimeoutSeconds: setting(
			'MONGODB_TRANSACTION_TIMEOUT_SECONDS',
			wholeNumber(1, 3600),
			30,
			'Seconds for which a transaction is tried again when others change the same documents, before its write fails.',
		),
		groupMaxBytes: setting(
			'MONGODB_GROUP_MAX_BYTES',
			wholeNumber(1024, 256 * mebibyte),
			8 * mebibyte,
			'How many bytes of writes are committed together at most, about; STORE_GROUP_MAX_STEPS holds, too.',
		),
		groupsInFlight: setting(
			'MONGODB_GROUPS_IN_FLIGHT',
			wholeNumber(1, 100),
			4,
			'How many such groups this process writes at a time.',
		),
	})
	.describe('MongoDB');
