import { expect } from 'chai';
import { openSequence } from '../../store/index.ts';
import { openTestStore } from '../support/test-store.ts';

describe('contract/sequence', () => {
	const openStore = () => openTestStore(() => 0);

	it('gives numbers that grow by one, from the first on, over many blocks', async () => {
		const store = await openStore();
		const sequence = await openSequence(store, 'numbers', { first: 7, block: 4 });
		const numbers: number[] = [];
		for (let i = 0; i < 30; i++) numbers.push(await sequence.next());
		expect(numbers).to.deep.equal(Array.from({ length: 30 }, (_, i) => 7 + i));
		await store.close();
	});

	it('gives each of many callers at once a number of its own, in the order of the calls', async () => {
		const store = await openStore();
		const sequence = await openSequence(store, 'numbers', { first: 1, block: 10 });
		const numbers = await Promise.all(Array.from({ length: 200 }, () => sequence.next()));
		expect(numbers).to.deep.equal(Array.from({ length: 200 }, (_, i) => 1 + i));
		await store.close();
	});

	it('gives no number twice, whoever opens it again', async () => {
		const store = await openStore();
		const [one, two] = await Promise.all([1, 2].map(() => openSequence(store, 'numbers', { first: 1, block: 5 })));
		const numbers: number[] = [];
		for (let i = 0; i < 20; i++) for (const sequence of [one, two]) if (sequence) numbers.push(await sequence.next());
		expect(new Set(numbers).size).to.equal(40);
		await store.close();
	});

	it('gives later callers larger numbers, whoever they ask, with blocks of one', async () => {
		const store = await openStore();
		const sequences = await Promise.all([1, 2, 3].map(() => openSequence(store, 'numbers', { first: 1, block: 1 })));
		const numbers: number[] = [];
		for (const turn of [0, 0, 1, 2, 1, 0, 0, 2]) numbers.push((await sequences[turn]?.next()) ?? 0);
		expect(numbers).to.deep.equal([1, 2, 3, 4, 5, 6, 7, 8]);
		const many = await Promise.all(Array.from({ length: 50 }, () => sequences[0]?.next()));
		expect(many).to.deep.equal(Array.from({ length: 50 }, (_, n) => 9 + n));
		await store.close();
	});

	it('fails the caller when no number can be reserved, and goes on afterwards with none lost', async () => {
		const store = await openStore();
		const sequence = await openSequence(store, 'numbers', { first: 1, block: 2 });
		expect(await sequence.next()).to.equal(1);
		await store.close();
		const outcomes = await Promise.allSettled(Array.from({ length: 10 }, () => sequence.next()));
		expect(outcomes.filter(({ status }) => status === 'rejected')).to.have.length.at.least(6);
	});
});
