import { agentFragments, compactPackage, type NewDevice, type SentPackage } from '../../inventory/index.ts';

/** Devices are dealt to tenants in turn. */
export function tenantOf(device: number, tenants: number): string {
	return `t${1 + (device % tenants)}`;
}

/** Words that Debian's packages are named with; each stem with each ending is a name. */
const stems =
	'apache2 bash bind9 busybox bzip2 cairo coreutils cups curl dbus dnsmasq docker e2fsprogs elfutils expat ffmpeg freetype gcc-12 gettext git glib2.0 gnupg gnutls28 gstreamer1.0 gtk+3.0 harfbuzz icu imagemagick iproute2 iptables jq kmod krb5 libjpeg-turbo libpng1.6 libxml2 linux-image-6.1 lvm2 lz4 mariadb mesa modemmanager mosquitto mtd-utils nano ncurses network-manager nginx nodejs nss openjdk-17 openldap openssh openssl openvpn pango1.0 pcre2 perl php8.2 postgresql-15 procps python3.11 qtbase readline rsync rsyslog samba sqlite3 squashfs-tools sudo systemd tar tpm2-tss tzdata u-boot udev util-linux vim wayland wireguard wpa xz-utils zlib zstd'.split(
		' ',
	);
const endings = [
	'',
	'-common',
	'-data',
	'-bin',
	'-dev',
	'-doc',
	'-dbgsym',
	'-tools',
	'-utils',
	'-plugins',
	'-l10n',
	'-perl',
	'-python3',
];
const names = stems.flatMap((stem) => endings.map((ending) => stem + ending));
/** No divisor of the number of names in common with it, so that a device comes past each name once. */
const stride = 389;

/** How many packages a device may be given: each with a name of its own. */
export const packagesMax = names.length;

export function serialOf(device: number): string {
	return `edge-gateway-${String(device).padStart(7, '0')}`;
}

export function newDevice(device: number): NewDevice {
	return {
		owner: `device_${serialOf(device)}`,
		name: `Edge gateway ${device}`,
		type: 'edge_gateway',
		fragments: {
			...agentFragments,
			c8y_SupportedOperations: ['c8y_Restart', 'c8y_SoftwareUpdate'],
			c8y_SupportedSoftwareTypes: ['apt'],
			c8y_Hardware: { serialNumber: serialOf(device), model: 'EG-200', revision: `${device % 7}` },
		},
	};
}

/** The packages of a device: a selection of its own out of all names, with versions that differ from device to device. */
export function packagesOf(device: number, count: number): SentPackage[] {
	return Array.from({ length: count }, (_, index) => packageOf(device, index, 0));
}

/** One of them, in another version for each `update`. */
export function packageOf(device: number, index: number, update: number): SentPackage {
	const at = (device * 7 + index * stride) % names.length;
	const name = names[at] ?? '';
	const release = (at * 31 + device * 17 + update * 101) % 5000;
	const version = `${1 + (at % 9)}.${release % 40}.${Math.floor(release / 40)}-${1 + (device % 4)}+deb12u${update}`;
	const pool = `http://deb.example.org/debian/pool/main/${name.charAt(0)}/${name}/${name}_${version}_arm64.deb`;
	return compactPackage(name, version, 'apt', pool);
}
