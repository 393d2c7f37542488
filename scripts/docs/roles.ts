import {
	cumulocityRoles,
	inventoryRoles,
	managementPermissions,
	type Permission,
	permissions,
	predefinedGlobalRoles,
	rolePermissions,
} from '../../access/index.ts';
import type { Route } from '../../service/http/index.ts';
import { openHttpFixture } from '../../test/support/http-fixture.ts';
import { pageHead, table } from './markdown.ts';

/** Which role may do what, by which name, and on which routes. */
export async function renderRoles(): Promise<string> {
	const fixture = await openHttpFixture();
	try {
		return `${[
			pageHead('Roles and permissions', 'access/permissions.ts').trimEnd(),
			'What the predefined roles may do. A device may do it with itself and what is below it only. `user` is a person without any role. Several roles add up.',
			grid(rolePermissions),
			`${sentence(managementPermissions)} are for users of the tenant \`management\` only, whatever their roles say.`,
			'## Groups',
			"Clients call roles groups. A tenant can make others, of Cumulocity's names.",
			table(
				['id', 'group', 'role', 'meaning'],
				predefinedGlobalRoles.map(({ id, name, role, description = '' }) => [String(id), name, role, description]),
			),
			"## Cumulocity's names",
			'What each of these names permits here. `effectiveRoles` has a name when everything in its row is permitted.',
			table(
				['name', 'permits'],
				Object.entries(cumulocityRoles).map(([name, granted]) => [`\`${name}\``, granted.join(', ')]),
			),
			'## Inventory roles',
			'What they permit with a group of devices, and all that is below it.',
			grid(inventoryRoles),
			'## Routes',
			'What a caller needs. Routes with *groups* also let in who may do it with some groups only, and then show and change nothing else. Over MQTT, a device speaks for itself; others may connect as any device who have mqtt:connect, inventory:write and operations:write.',
			table(['route', 'needs', ''], fixture.routes.map(routeRow)),
		]
			.join('\n\n')
			.trimEnd()}\n`;
	} finally {
		await fixture.close();
	}
}

function grid(roles: Readonly<Record<string, readonly Permission[]>>): string {
	const columns = Object.entries(roles);
	const used = permissions.filter((permission) => columns.some(([, granted]) => granted.includes(permission)));
	return table(
		['permission', ...columns.map(([role]) => role)],
		used.map((permission) => [permission, ...columns.map(([, granted]) => (granted.includes(permission) ? 'yes' : '–'))]),
	).trimEnd();
}

function sentence(names: Iterable<string>): string {
	return [...names].join(', ');
}

function routeRow({ method, path, permission, isScoped }: Route): string[] {
	return [`\`${method.toUpperCase()} ${path}\``, permission, isScoped ? '*groups*' : ''];
}
