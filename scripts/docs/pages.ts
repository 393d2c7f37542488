import { renderConfiguration } from './configuration.ts';

/** A page of the documentation that is made from the source. */
export interface Page {
	/** Its path in the project. */
	readonly file: string;
	readonly render: () => string;
}

/** All generated pages: `npm run docs` writes them, a test proves that they are fresh. */
export const pages: readonly Page[] = [{ file: 'docs/reference/configuration.md', render: renderConfiguration }];
