import { spawnSync } from 'node:child_process';
import { expect } from 'chai';
import fc from 'fast-check';
import { compareRpmParts } from '../../../../inventory/software-search/rpm-version.ts';
import {
	compareNewestFirst,
	compareVersions,
	type VersionOrder,
	versionOrderNames,
} from '../../../../inventory/software-search/version-order.ts';
import { skipUnless } from '../../../support/skip.ts';

/** Each row from the oldest to the newest, by its order. */
const ascending: Readonly<Record<VersionOrder, readonly (readonly string[])[]>> = {
	debian: [
		// Debian Policy 5.6.12
		['~~', '~~a', '~', '0', 'a'],
		['1.0~beta1~svn1245', '1.0~beta1', '1.0', '1.0-1', '1.0-1+deb12u1', '1.0.1', '1:0.1'],
		['1.2.9', '1.2.10', '1.2.10-1', '1.2.10a', '1.2.10+b', '1.2.10.1', '10'],
		['3.0.14-1~deb12u2', '3.0.15-1~deb12u1', '3.0.15-1', '3.0.15-1+deb12u1', '3.0.17-1~deb12u2'],
		['9007199254740992', '9007199254740993', '9007199254740993.1'],
	],
	rpm: [
		['1.0~rc1~git1', '1.0~rc1', '1.0', '1.0^20250101', '1.0.1'],
		['1.0', '1.0-1.el9', '1.0-2.el9', '1.0-10.el9', '1:0.9-1'],
		['xyz', '1', '1.a', '1.1'],
	],
	semver: [
		// semver.org, 11.3 and 11.4
		['1.0.0', '2.0.0', '2.1.0', '2.1.1'],
		['1.0.0-alpha', '1.0.0-alpha.1', '1.0.0-alpha.beta', '1.0.0-beta', '1.0.0-beta.2', '1.0.0-beta.11', '1.0.0-rc.1', 'v1.0.0'],
	],
	numeric: [['1', '1.2', '1.2-1', '1.2.1', '1.9', '1.10', '1.10b', 'v2', '20250101', '90071992547409930']],
};

const equal: Readonly<Record<VersionOrder, readonly (readonly [string, string])[]>> = {
	debian: [['1.0', '1.00'], ['0:1.0', '1.0'], ['1.0', '1.0-0'], ['01.2-03', '1.2-3'], ['1.0~', '1.0~0']],
	rpm: [['1.0', '1.00'], ['0:1.0', '1.0'], ['1.0', '1_0'], ['1.0-1.el9', '1.0-01_el9']],
	semver: [['1.0.0', 'v1.0.0'], ['1.0.0+a', '1.0.0+b']],
	numeric: [['1.0', '1.00'], ['v1.2', '1.2']],
}; // biome-ignore format: one line an order

const noVersions: Readonly<Record<VersionOrder, readonly string[]>> = {
	debian: ['', ' ', '1 2', '1.0_1', 'a:1', ':1', '1:', '1-', '-1', '1.0-1:2', '1.0\n', 'ü'],
	rpm: ['', '_', '1 0', '~', '\u00e4'],
	semver: ['', '1', '1.2', '1.2.3.4', '01.2.3', 'latest', '1.2.3-'.repeat(100)],
	numeric: ['', 'latest', 'vv1', ' 1', '-1', 'v'],
};

// tests/rpmvercmp.at of RPM, and rpm-version(7) for the caret
const rpmVectors = `1.0 = 1.0, 1.0 < 2.0, 2.0.1 = 2.0.1, 2.0 < 2.0.1, 2.0.1a = 2.0.1a, 2.0.1 < 2.0.1a, 5.5p1 = 5.5p1, 5.5p1 < 5.5p2,
5.5p1 < 5.5p10, 10xyz < 10.1xyz, xyz10 = xyz10, xyz10 < xyz10.1, xyz.4 = xyz.4, xyz.4 < 8, xyz.4 < 2, 5.5p2 < 5.6p1, 5.6p1 < 6.5p1,
6.0 < 6.0.rc1, 10a2 < 10b2, 10a1 < 10b2, 1.0aa = 1.0aa, 1.0a < 1.0aa, 10.0001 = 10.0001, 10.0001 = 10.1, 10.0001 < 10.0039,
4.999.9 < 5.0, 20101121 = 20101121, 20101121 < 20101122, 2_0 = 2_0, 2.0 = 2_0, a = a, a+ = a+, a+ = a_, +a = +a, +a = _a, +_ = +_,
_+ = +_, + = _, 1.0~rc1 = 1.0~rc1, 1.0~rc1 < 1.0, 1.0~rc1 < 1.0~rc2, 1.0~rc1~git123 = 1.0~rc1~git123, 1.0~rc1~git123 < 1.0~rc1,
1.0^ = 1.0^, 1.0 < 1.0^, 1.0^git1 = 1.0^git1, 1.0 < 1.0^git1, 1.0^git1 < 1.0^git2, 1.0^git1 < 1.01, 1.0^20160101 = 1.0^20160101,
1.0^20160101 < 1.0.1, 1.0^20160101^git1 = 1.0^20160101^git1, 1.0^20160101 < 1.0^20160101^git1, 1.0~rc1^git1 = 1.0~rc1^git1,
1.0~rc1 < 1.0~rc1^git1, 1.0^git1~pre = 1.0^git1~pre, 1.0^git1~pre < 1.0^git1, 1.1.α = 1.1.β, 1.1.αα = 1.1.α`;

describe('inventory/software-search/version-order', () => {
	const sign = (order: VersionOrder, a: string, b: string) => {
		const found = compareVersions(order, a, b);
		return found === undefined ? undefined : Math.sign(found);
	};

	for (const order of versionOrderNames) {
		for (const row of ascending[order]) {
			it(`orders ${row.join(' < ')} (${order})`, () => {
				row.forEach((a, i) => {
					row.forEach((b, j) => {
						expect(sign(order, a, b), `${a} and ${b}`).to.equal(Math.sign(i - j));
					});
				});
				const newest = [...row].sort().sort((a, b) => compareNewestFirst(order, a, b));
				expect(newest).to.deep.equal([...row].reverse());
			});
		}

		it(`takes some texts for one version (${order})`, () => {
			for (const [a, b] of equal[order]) expect([sign(order, a, b), sign(order, b, a)], `${a} and ${b}`).to.deep.equal([0, 0]);
		});

		it(`compares nothing with what is no version, and sorts it last (${order})`, () => {
			const [good = ''] = ascending[order][0]?.slice(-1) ?? [];
			for (const text of noVersions[order]) {
				expect([sign(order, text, good), sign(order, good, text), sign(order, text, text)], text).to.deep.equal(
					Array(3).fill(undefined),
				);
				expect([text, good].sort((a, b) => compareNewestFirst(order, a, b))).to.deep.equal([good, text]);
			}
		});

		it(`is an order of all texts (${order})`, () => {
			const text = fc.string({ unit: fc.constantFrom(...'0123a~^+-.:_ vV\u00e4'), maxLength: 8 });
			fc.assert(
				fc.property(fc.array(text, { minLength: 3, maxLength: 3 }), ([a = '', b = '', c = '']) => {
					const [ab, ba, bc, ac] = [sign(order, a, b), sign(order, b, a), sign(order, b, c), sign(order, a, c)];
					expect(ab === undefined ? undefined : ab + 0).to.equal(ba === undefined ? undefined : 0 - ba);
					if (ab !== undefined && bc !== undefined && ab <= 0 && bc <= 0) expect(ac).to.equal(Math.min(ab, bc));
					const [x, y, z] = [a, b, c].sort((left, right) => compareNewestFirst(order, left, right));
					expect(compareNewestFirst(order, x ?? '', z ?? '')).to.be.at.most(0);
					expect(compareNewestFirst(order, x ?? '', y ?? '')).to.be.at.most(0);
				}),
				{ numRuns: 2000 },
			);
			for (const long of ['1'.repeat(255), '1.'.repeat(127), '~^'.repeat(127), '-'.repeat(255), '1-'.repeat(127)])
				compareVersions(order, long, `${long}1`);
		});
	}

	for (const row of rpmVectors.split(/,\s+/)) {
		it(`compares as rpmvercmp does: ${row}`, () => {
			const [a = '', relation, b = ''] = row.split(' ');
			const expected = relation === '=' ? 0 : -1;
			expect([Math.sign(compareRpmParts(a, b)), Math.sign(compareRpmParts(b, a))]).to.deep.equal([expected, 0 - expected]);
		});
	}

	describe('beside dpkg', () => {
		before(skipUnless(spawnSync('dpkg', ['--version']).status === 0, 'dpkg is not installed'));

		it('says what dpkg says of 200 pairs', function () {
			this.timeout(60_000);
			const part = fc.string({ unit: fc.constantFrom(...'0129az~+.'), minLength: 1, maxLength: 5 });
			const version = fc.tuple(fc.constantFrom('', '0:', '1:'), part, fc.constantFrom('', '-1', '-0', '-1~a', '-1+b'));
			const pairs = fc.sample(fc.tuple(version, version), { numRuns: 200, seed: 6 });
			const texts = pairs.map(([a, b]) => [`${a[0]}1${a.slice(1).join('')}`, `${b[0]}1${b.slice(1).join('')}`] as const);
			const script = texts
				.map(
					([a, b]) =>
						`if dpkg --compare-versions '${a}' lt '${b}'; then echo -1; elif dpkg --compare-versions '${a}' eq '${b}'; then echo 0; else echo 1; fi`,
				)
				.join('\n');
			const said = spawnSync('sh', { input: script, encoding: 'utf8' }).stdout.trim().split('\n').map(Number);
			expect(texts.map(([a, b]) => [a, b, sign('debian', a, b)])).to.deep.equal(texts.map(([a, b], n) => [a, b, said[n]]));
		});
	});
});
