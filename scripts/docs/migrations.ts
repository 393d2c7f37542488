import { collections, migrations } from '../../service/migrations.ts';
import { versionOf } from '../../store/index.ts';
import { pageHead, table } from './markdown.ts';

/** What is stored in which version, and how older versions become newer ones. */
export function renderMigrations(): string {
	const changes = migrations.map(({ collection, to, what }) => [`\`${collection}\``, String(to), what]);
	return `${[
		pageHead('Stored documents', 'service/migrations.ts').trimEnd(),
		'The first process of a new version changes what older ones have stored, before it opens its ports; others wait for it. A store that is newer than the program is refused.',
		table(['collection', 'version'], [...collections].map((spec) => [`\`${spec.name}\``, String(versionOf(spec))]).sort()),
		'## Migrations',
		changes.length > 0
			? table(['collection', 'to version', 'what changes'], changes)
			: 'None yet: every collection is of its first version.',
	]
		.join('\n\n')
		.trimEnd()}\n`;
}
