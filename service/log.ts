import { type LevelWithSilent, type Logger, pino } from 'pino';
import pretty from 'pino-pretty';

const secrets = ['password', 'token', 'authorization', 'secret', 'passwordHash', 'cookie'];

/** Readable lines on a terminal, JSON otherwise. Fields with the names of secrets are hidden, three levels deep: none is logged on purpose. */
export function createLog(level: LevelWithSilent, out: NodeJS.WriteStream & { readonly fd: 1 | 2 }): Logger {
	const options = {
		level,
		base: undefined,
		redact: { paths: secrets.flatMap((name) => [name, `*.${name}`, `*.*.${name}`]), censor: '[hidden]' },
	};
	return out.isTTY
		? pino(options, pretty({ destination: out.fd, sync: true, singleLine: true, translateTime: 'HH:MM:ss.l' }))
		: pino(options, out);
}
