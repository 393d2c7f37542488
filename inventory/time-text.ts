const pattern =
	/^(\d{4}-\d{2}-\d{2})(?:[Tt ](\d{2}:\d{2}(?::\d{2})?)(?:[.,](\d{1,9}))?(?:([Zz])|[ +](\d{2}):?(\d{2})|-(\d{2}):?(\d{2}))?)?$/;

/** RFC 3339 in UTC with milliseconds. */
export function formatTime(milliseconds: number): string {
	return new Date(milliseconds).toISOString();
}

/**
 * Milliseconds of a time as clients write it: with `Z` or an offset (whose plus may have become a space), to any fraction of a
 * second, without a zone (UTC), or a bare date (its first moment in UTC). `undefined` where it is none.
 */
export function parseTime(text: string): number | undefined {
	const match = pattern.exec(text);
	if (!match) return undefined;
	const [, date, time = '00:00:00', fraction = '0', , eastHours, eastMinutes, westHours, westMinutes] = match;
	const seconds = time.length === 5 ? `${time}:00` : time;
	const local = Date.parse(`${date}T${seconds}.${fraction.slice(0, 3).padEnd(3, '0')}Z`);
	if (Number.isNaN(local) || new Date(local).toISOString().slice(0, 10) !== date) return undefined;
	return local - offsetMilliseconds(eastHours, eastMinutes) + offsetMilliseconds(westHours, westMinutes);
}

function offsetMilliseconds(hours = '0', minutes = '0'): number {
	return (Number(hours) * 60 + Number(minutes)) * 60_000;
}
