import { z } from 'zod';
import { oneOf, setting, wholeNumber } from './setting.ts';

const count = wholeNumber(1, 10_000_000);
const seconds = wholeNumber(1, 86_400);

/** Passwords, tokens, and guessing. */
export const access = z
	.object({
		cacheMaxEntries: setting(
			'AUTH_CACHE_MAX_ENTRIES',
			count,
			100_000,
			'How many verified credentials are remembered in memory; also how many users and addresses with wrong passwords.',
		),
		cacheTtlSeconds: setting(
			'AUTH_CACHE_TTL_SECONDS',
			seconds,
			300,
			'Seconds that a verified credential is remembered before its hash is checked again.',
		),
		hashMemoryKibibytes: setting(
			'AUTH_HASH_MEMORY_KIB',
			wholeNumber(7168, 1_048_576),
			19_456,
			'Memory that one hash of a password takes (argon2id), in KiB. Passwords that were hashed at another cost are hashed anew when they are next used.',
		),
		hashPasses: setting('AUTH_HASH_PASSES', wholeNumber(1, 100), 2, 'How often a hash goes over that memory.'),
		passwordMinCharacters: setting(
			'PASSWORD_MIN_CHARACTERS',
			wholeNumber(8, 128),
			12,
			'Shortest password that somebody may choose, in characters.',
		),
		passwordMaxCharacters: setting(
			'PASSWORD_MAX_CHARACTERS',
			wholeNumber(64, 1024),
			256,
			'Longest password that somebody may choose, in characters.',
		),
		tokenLifetimeSeconds: setting(
			'AUTH_TOKEN_LIFETIME_SECONDS',
			seconds,
			3600,
			'Seconds that a token which a device asked for is good for.',
		),
		sessionSeconds: setting(
			'AUTH_SESSION_SECONDS',
			wholeNumber(60, 30 * 86_400),
			43_200,
			'Seconds after which somebody who logged in for a token or cookies has to log in again.',
		),
		tokenAlgorithm: setting(
			'AUTH_TOKEN_ALGORITHM',
			oneOf(['HS256', 'RS256', 'ES256']),
			'HS256',
			'How tokens are signed. With RS256 and ES256 others can check them, by the keys at `/.well-known/jwks.json`.',
		),
		tokenKeyDays: setting(
			'AUTH_TOKEN_KEY_DAYS',
			wholeNumber(0, 3650),
			90,
			'Days after which tokens are signed with a new key; the old one is good until its last token has ended. 0 keeps the key.',
		),
		wrongPasswordsPerMinute: setting(
			'AUTH_WRONG_PASSWORDS_PER_MINUTE',
			count,
			20,
			'How many wrong passwords a minute one user name and address may send before further attempts are refused unchecked.',
		),
		wrongPasswordsPerAddress: setting(
			'AUTH_WRONG_PASSWORDS_PER_ADDRESS',
			count,
			200,
			'How many wrong passwords a minute may come from one address (of IPv6: one network of 64 bits), for whatever users, before its attempts are delayed.',
		),
		wrongPasswordsPerUser: setting(
			'AUTH_WRONG_PASSWORDS_PER_USER',
			count,
			100,
			'How many wrong passwords a minute may come for one user, from whatever addresses, before attempts for that user are delayed.',
		),
		delaySeconds: setting('AUTH_DELAY_SECONDS', wholeNumber(1, 8), 2, 'Seconds that such attempts are delayed.'),
		delayedPerAddress: setting(
			'AUTH_DELAYED_PER_ADDRESS',
			wholeNumber(1, 10_000),
			50,
			'How many delayed attempts of one address wait at a time; more are refused unchecked.',
		),
	})
	.describe('Authentication');
