/** How many packages a device goes through before it begins again. */
export const packagesEach = 500;

const nameDigits = 4;
const roundDigits = 6;

/** The name of the package that message `number` (from 0) of a device is about. */
export function packageName(number: number): string {
	return `package-${digits(number % packagesEach, nameDigits)}`;
}

/** Its URL, another one each time, so that every message changes what is stored. */
export function packageUrl(number: number): string {
	return `https://packages.example.com/pool/main/p/${digits(Math.floor(number / packagesEach), roundDigits)}/package_1.2.3-4+deb12u1_amd64.deb`;
}

/** A line of template 141 that adds or updates the package. */
export function packageLine(number: number): string {
	return `141,${packageName(number)},1.2.3-4+deb12u1,apt,${packageUrl(number)}`;
}

/** Writes the digits of another message over those of a packet that holds `packageLine(0)`. */
export function createPacketPatch(packet: Buffer) {
	const line = packageLine(0);
	const payloadAt = packet.length - line.length;
	const messageIdAt = payloadAt - 2;
	const nameAt = payloadAt + line.indexOf(packageName(0)) + 'package-'.length;
	const roundAt = payloadAt + line.indexOf(packageUrl(0)) + packageUrl(0).indexOf('/p/') + '/p/'.length;
	return (bytes: Buffer, offset: number, number: number): void => {
		const messageId = messageIdOf(number);
		bytes[offset + messageIdAt] = messageId >> 8;
		bytes[offset + messageIdAt + 1] = messageId & 0xff;
		writeDigits(bytes, offset + nameAt, number % packagesEach, nameDigits);
		writeDigits(bytes, offset + roundAt, Math.floor(number / packagesEach), roundDigits);
	};
}

export function messageIdOf(number: number): number {
	return (number % 65_535) + 1;
}

function digits(value: number, count: number): string {
	return String(value).padStart(count, '0');
}

function writeDigits(bytes: Buffer, at: number, value: number, count: number): void {
	let left = value;
	for (let place = at + count - 1; place >= at; place--) {
		bytes[place] = 48 + (left % 10);
		left = Math.floor(left / 10);
	}
}
