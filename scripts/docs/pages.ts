import { renderConfiguration } from './configuration.ts';
import { renderDependencies } from './dependencies.ts';
import { renderMetrics, renderOperationStatuses } from './domain.ts';
import { renderErrors } from './errors.ts';
import { renderMigrations } from './migrations.ts';
import { renderRoles } from './roles.ts';
import { renderScale } from './scale.ts';
import { renderSmartRest } from './smartrest.ts';

/** A page of the documentation that is made from the source. */
export interface Page {
	/** Its path in the project. */
	readonly file: string;
	readonly render: () => string | Promise<string>;
}

/** All generated pages: `npm run docs` writes them, a test proves that they are fresh. */
export const pages: readonly Page[] = [
	{ file: 'docs/reference/configuration.md', render: renderConfiguration },
	{ file: 'docs/reference/errors.md', render: renderErrors },
	{ file: 'docs/reference/smartrest.md', render: renderSmartRest },
	{ file: 'docs/reference/operation-statuses.md', render: renderOperationStatuses },
	{ file: 'docs/reference/roles.md', render: renderRoles },
	{ file: 'docs/reference/dependencies.md', render: renderDependencies },
	{ file: 'docs/reference/metrics.md', render: renderMetrics },
	{ file: 'docs/guides/scale.md', render: renderScale },
	{ file: 'docs/reference/stored-documents.md', render: renderMigrations },
];
