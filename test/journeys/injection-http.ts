import { expect } from 'chai';
import { hostileBodies, hostileKeys, hostileTexts, hostileValues } from '../support/injection/hostile-texts.ts';
import { expectUnharmed, type InjectionFixture, openInjectionFixture } from '../support/injection/injection-fixture.ts';
import {
	type BodyRoute,
	bodiesWith,
	bodiesWithKey,
	bodyRoutesIn,
	callerOf,
	goodBodyOf,
	type Place,
	pathWith,
	placesIn,
	shareOf,
} from '../support/injection/places.ts';
import { answerFault, type RawAnswer } from '../support/injection/raw-http.ts';
import { aliases, takenParameters, type Verdict, verdicts } from '../support/injection/verdicts.ts';

const json = { 'Content-Type': 'application/json' };
const urlTexts = hostileTexts.flatMap(({ name, url }) => (url === undefined ? [] : [{ name, url }]));
const values = [...hostileTexts, ...hostileValues].flatMap(({ name, json: value }) =>
	value === undefined ? [] : [{ name, value }],
);

describe('journeys/injection-http', function () {
	this.timeout(120_000);
	let fixture: InjectionFixture;
	let places: Place[];
	let routes: BodyRoute[];
	const needed = new Set<Verdict>();

	before(async () => {
		fixture = await openInjectionFixture();
		const description = await (await fetch(`${fixture.service.urls.http}/service/advanced-software-mgmt/openapi.json`)).json();
		places = placesIn(description);
		routes = bodyRoutesIn(description);
	});
	afterEach(() => expectUnharmed(fixture));
	after(() => fixture.close());

	it('harms nothing by a parameter of a path or a query, and stores nothing', async () => {
		const { http, ids, users, recorded } = fixture;
		const before = await recorded.dump();
		const faults: string[] = [];
		for (const place of places.filter(({ method, isTyped }) => method === 'GET' && !isTyped))
			for (const { name, url } of shareOf(place, urlTexts)) {
				const answer = await http.call({ method: 'GET', path: pathTo(place, url), user: users[callerOf(place.path)] });
				noter(faults, `GET ${place.path}`, name)(place.name, answerFault(answer));
			}
		const typed = places.filter(({ method, isTyped }) => method === 'GET' && isTyped);
		for (const path of new Set(typed.map((place) => place.path))) {
			const own = typed.filter((place) => place.path === path);
			for (const { name: what, url } of own[0] ? shareOf(own[0], urlTexts) : []) {
				const note = noter(faults, `GET ${path}`, what);
				// What is wrong with each of them is said in one answer.
				const query = own.map(({ name }) => `${name}=${url}`).join('&');
				const answer = await http.call({ method: 'GET', path: `${pathWith(path, ids)}?${query}`, user: users[callerOf(path)] });
				note('', answerFault(answer) ?? (answer.status === 400 ? undefined : `answered ${answer.status}`));
				for (const { name } of own)
					if (!answer.text.includes(`${name} `) && !/is not UTF-8/.test(answer.text)) note(name, `not named by ${answer.text}`);
			}
		}
		expectNone(faults);
		expect(await recorded.dump()).to.deep.equal(before);
	});

	it('changes nothing by a parameter of a call that would change something', async () => {
		const { http, ids, users, recorded } = fixture;
		const faults: string[] = [];
		for (const place of places.filter(({ method }) => method !== 'GET')) {
			const { method, path, name } = place;
			const hasBody = routes.some((route) => route.method === method && route.path === path);
			const body = hasBody ? { headers: json, body: JSON.stringify(goodBodyOf(method, path, ids)) } : {};
			const mayTake = takenParameters.some((taken) => taken.route.test(`${method} ${path}`) && taken.name.test(name));
			for (const { name: what, url } of shareOf(place, urlTexts)) {
				const answer = await http.call({ method, path: pathTo(place, url), user: users[callerOf(path)], ...body });
				const isTaken = answer.status < 400;
				const writes = recorded.takeWrites();
				const note = noter(faults, `${method} ${path}`, what);
				note(name, answerFault(answer));
				if (isTaken && !mayTake) note(name, `answered ${answer.status}`);
				if (writes.length > 0 && !(isTaken && mayTake)) note(name, `wrote ${writes[0]?.slice(0, 200)}`);
			}
		}
		expectNone(faults);
	});

	it('refuses whole bodies that are none, and stores nothing', async () => {
		const faults: string[] = [];
		for (const route of routes)
			for (const { name, body } of hostileBodies) {
				const answer = await send(route, body);
				const note = noter(faults, `${route.method} ${route.path}`, name);
				note('', answerFault(answer) ?? (answer.status < 400 ? `answered ${answer.status}` : undefined));
				if (fixture.recorded.takeWrites().length > 0) note('', 'wrote');
			}
		expectNone(faults);
	});

	it('refuses hostile values of fields by the name of the field, or keeps them as they are', async () => {
		const faults: string[] = [];
		for (const route of routes) {
			const good = goodBodyOf(route.method, route.path, fixture.ids);
			for (const { name, value } of values) {
				const bodies = bodiesWith(good, route.fields, value);
				// What is refused wherever it is, is sent in one place of each route.
				for (const { field, body } of value.length > 20_000 ? bodies.slice(0, 1) : bodies) {
					const answer = await send(route, body);
					noter(faults, `${route.method} ${route.path}`, name)(field, valueFault(route, field, value, answer));
				}
			}
		}
		expectNone(faults);
		expect(
			verdicts.filter((verdict) => !needed.has(verdict)),
			'rows that nothing needs',
		).to.deep.equal([]);
	});

	it('refuses hostile names of fields, ignores them where all unknown names are, or keeps them as they are', async () => {
		const faults: string[] = [];
		for (const route of routes) {
			const good = goodBodyOf(route.method, route.path, fixture.ids);
			for (const { name, json: key } of hostileKeys)
				for (const { field, body } of bodiesWithKey(good, key)) {
					const answer = await send(route, body);
					noter(faults, `${route.method} ${route.path}`, name)(field, keyFault(route, field, key, answer));
				}
		}
		expectNone(faults);
	});

	it('still answers, and has written a line about each call', async () => {
		const { http, users, logLines, service } = fixture;
		const answer = await http.call({ method: 'GET', path: '/ready', user: users.admin });
		expect([answer.status, (await service.operator.objectOf('serial-1')).id]).to.deep.equal([200, fixture.ids.device]);
		expect(logLines.length).to.be.greaterThan(1000);
	});

	function pathTo({ path, in: where, name }: Place, url: string): string {
		return where === 'query' ? `${pathWith(path, fixture.ids)}?${name}=${url}` : pathWith(path, fixture.ids, { [name]: url });
	}

	function send({ method, path }: BodyRoute, body: string | Buffer): Promise<RawAnswer> {
		const { http, ids, users } = fixture;
		const query = path.startsWith('/service/advanced-software-mgmt/software') ? `?deviceId=${ids.device}` : '';
		return http.call({ method, path: pathWith(path, ids) + query, user: users[callerOf(path)], headers: json, body });
	}

	function valueFault(route: BodyRoute, field: string, value: string, answer: RawAnswer): string | undefined {
		const writes = fixture.recorded.takeWrites();
		const fault = answerFault(answer);
		if (fault) return fault;
		const name = `${route.method} ${route.path}`;
		if (answer.status >= 400) {
			if (writes.length > 0 && !writesOnRefusal.has(name))
				return `answered ${answer.status}, and wrote ${writes[0]?.slice(0, 200)}`;
			return isNamed(field, answer) ? undefined : `does not name the field: ${answer.text}`;
		}
		const verdict = verdicts.find((each) => each.route.test(name) && each.field.test(field));
		if (!verdict) return `answered ${answer.status}: ${answer.text.slice(0, 200)}`;
		needed.add(verdict);
		// Numbers are doubles, as everywhere in JSON.
		const kept = JSON.stringify(JSON.parse(value));
		const isStored = writes.length === 0 || kept === '""' || writes.some((write) => write.includes(kept));
		const isGiven = answer.text.includes(kept);
		if (verdict.outcome === 'given back' && !(isGiven && isStored)) return `is not given back: ${answer.text.slice(0, 300)}`;
		if (verdict.outcome === 'stored' && !isStored) return `is not stored: ${writes[0]?.slice(0, 300)}`;
		if (verdict.outcome === 'hidden' && isGiven) return 'is shown';
		return undefined;
	}

	function keyFault(route: BodyRoute, field: string, key: string, answer: RawAnswer): string | undefined {
		const writes = fixture.recorded.takeWrites();
		const fault = answerFault(answer);
		if (fault || answer.status >= 400) {
			if (writes.length > 0 && !writesOnRefusal.has(`${route.method} ${route.path}`)) return `wrote ${writes[0]?.slice(0, 200)}`;
			return fault;
		}
		if (refusedNames.includes(key)) return `answered ${answer.status}`;
		const isFragment = /^x_Fragment/.test(field) && !/software/.test(route.path);
		const kept = `${JSON.stringify(JSON.parse(key))}:{"polluted":true}`;
		if (isFragment && !answer.text.includes(kept)) return `is not given back: ${answer.text.slice(0, 300)}`;
		return undefined;
	}
});

/** Names that nothing can have. */
const refusedNames = ['"__proto__"', '"\\ud800"'];

/** A device that asks in vain is noted: its request was made above. */
const writesOnRefusal: ReadonlySet<string> = new Set(['POST /devicecontrol/deviceCredentials']);

function isNamed(field: string, { status, text }: RawAnswer): boolean {
	if (status !== 400 && status !== 422) return true;
	const { message } = JSON.parse(text);
	const name = field.split('.').at(-1) ?? '';
	return message.includes(name) || /line \d+, column \d+|^The body /.test(message) || aliases[field]?.test(message) === true;
}

function expectNone(faults: readonly string[]): void {
	if (faults.length > 0) throw new Error(`${faults.length} faults:\n${faults.slice(0, 100).join('\n')}`);
}

function noter(faults: string[], route: string, what: string) {
	return (field: string, fault: string | undefined): void => {
		if (fault !== undefined) faults.push(`${route} ${field}: ${what} ${fault}`);
	};
}
