/** What `skip` and `limit` may be. @throws TypeError */
export function natural(name: string, value: number | undefined): number | undefined {
	if (value !== undefined && !(Number.isSafeInteger(value) && value >= 0))
		throw new TypeError(`${name} must be a natural number`);
	return value;
}
