import { type LevelWithSilent, type Logger, pino } from 'pino';
import pretty from 'pino-pretty';

const secrets = ['password', 'token', 'authorization', 'secret', 'passwordHash', 'cookie'];

/** Readable lines on a terminal, JSON otherwise. Fields that hold secrets are hidden, wherever they slip in. */
export function createLog(level: LevelWithSilent, out: NodeJS.WriteStream & { readonly fd: 1 | 2 }): Logger {
	const options = {
		level,
		base: undefined,
		redact: { paths: secrets.flatMap((name) => [name, `*.${name}`, `*.*.${name}`]), censor: '[hidden]' },
	};
	return out.isTTY ? pino(options, pretty({ destination: out.fd, sync: true, translateTime: 'HH:MM:ss.l' })) : pino(options, out);
}
