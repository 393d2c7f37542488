import { z } from 'zod';
import { setting, text, wholeNumber } from './setting.ts';

/** What one query of the inventory may ask for. */
export const querySettings = z
	.object({
		maxLength: setting('QUERY_CHARACTERS_MAX', wholeNumber(100, 16_000), 8000, 'Longest query of the inventory, in characters.'),
		maxDepth: setting(
			'QUERY_DEPTH_MAX',
			wholeNumber(1, 20),
			12,
			'How deep the conditions of a query may be nested; parentheses that change nothing do not count.',
		),
		maxTerms: setting(
			'QUERY_TERMS_MAX',
			wholeNumber(1, 200),
			100,
			'How many comparisons, calls and sort keys a query may have, with those of the stored queries of its groups.',
		),
		maxWildcards: setting('QUERY_WILDCARDS_MAX', wholeNumber(1, 20), 8, 'How many wildcards one text of a query may have.'),
		maxWildcardText: setting(
			'QUERY_WILDCARD_TEXT_MAX',
			wholeNumber(1, 1000),
			100,
			'How many characters of a text of a query may be between two wildcards, or behind the last one.',
		),
		maxScanned: setting(
			'QUERY_SCAN_MAX_OBJECTS',
			wholeNumber(1, 10_000_000),
			100_000,
			'How many managed objects one query may look at where no index answers it; more are refused, naming the term.',
		),
		versionOrders: setting(
			'SOFTWARE_VERSION_ORDERS',
			text(
				'pairs type=order between commas, order one of debian, rpm, semver, numeric',
				/^([^=,]+=(debian|rpm|semver|numeric)(,(?!$)|$))*$/,
			),
			'apt=debian,deb=debian,debian=debian,dpkg=debian,rpm=rpm,dnf=rpm,yum=rpm,zypper=rpm,npm=semver,helm=semver',
			'How versions of each software type are compared; types that are not named have the order `numeric`.',
		),
	})
	.describe('Queries');
