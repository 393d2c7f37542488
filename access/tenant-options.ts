import type { Collection, CollectionSpec, DocumentStore, Step, StoredDocument } from '../store/index.ts';
import { AccessError } from './access-error.ts';
import { policyOption, securityTokenPolicies } from './security-token.ts';

/** A setting that a tenant keeps for its tools. */
export interface TenantOption extends StoredDocument {
	readonly tenant: string;
	readonly category: string;
	readonly key: string;
	readonly value: string;
}

export const optionSpec: CollectionSpec<TenantOption> = {
	name: 'tenantOptions',
	indexes: [{ name: 'byCategory', keys: ['tenant', 'category', 'key'] }],
};

interface Page {
	readonly skip: number;
	readonly limit: number;
}

export type TenantOptions = Awaited<ReturnType<typeof openTenantOptions>>;

/** Settings that tools keep at a tenant, by category and key. */
export async function openTenantOptions({ store }: { readonly store: DocumentStore }) {
	const options: Collection<TenantOption> = await store.collection(optionSpec);

	async function list(tenant: string, page: Page): Promise<TenantOption[]> {
		return options.find({ filter: { tenant }, sort: [['category', 1], ['key', 1]], ...page }); // biome-ignore format: one order
	}

	async function count(tenant: string): Promise<number> {
		return options.count({ tenant });
	}

	/** Those of a category, by their keys. */
	async function ofCategory(tenant: string, category: string): Promise<TenantOption[]> {
		return options.find({ filter: { tenant, category }, sort: [['key', 1]], limit: maxOptions });
	}

	async function find(tenant: string, category: string, key: string): Promise<TenantOption | undefined> {
		return options.get(idOf(tenant, category, key));
	}

	/** @throws AccessError `access/notFound` */
	async function get(tenant: string, category: string, key: string): Promise<TenantOption> {
		const option = await find(tenant, category, key);
		if (!option) throw notFound(category, key);
		return option;
	}

	/** Sets values of a category, all or none; `null` takes one away. @throws AccessError `access/invalid` */
	async function set(tenant: string, category: string, values: Readonly<Record<string, string | null>>): Promise<void> {
		const entries = Object.entries(values);
		for (const [key, value] of entries) check(category, key, value);
		const others = await options.count({ tenant });
		if (others + entries.filter(([, value]) => value !== null).length > maxOptions)
			throw new AccessError('access/invalid', `A tenant keeps at most ${maxOptions} options, and ${others} are there`);
		if (entries.length === 0) return;
		await store.batch(
			entries.map(([key, value]): Step => {
				const _id = idOf(tenant, category, key);
				if (value === null) return { kind: 'remove', collection: optionSpec.name, id: _id };
				const document: TenantOption = { _id, tenant, category, key, value };
				return { kind: 'put', collection: optionSpec.name, document };
			}),
		);
	}

	/** @throws AccessError `access/notFound` */
	async function remove(tenant: string, category: string, key: string): Promise<void> {
		await get(tenant, category, key);
		await store.batch([{ kind: 'remove', collection: optionSpec.name, id: idOf(tenant, category, key) }]);
	}

	return { list, count, ofCategory, find, get, set, remove };
}

const maxOptions = 2000;
const namePattern = /^[A-Za-z0-9][A-Za-z0-9._-]{0,254}$/;
const secretPattern = /^credentials\./i;
const maxValueLength = 10_000;

function idOf(tenant: string, category: string, key: string): string {
	return `${tenant}/${category}/${key}`;
}

function check(category: string, key: string, value: string | null): void {
	for (const [field, text] of Object.entries({ category, key })) {
		if (!namePattern.test(text))
			throw new AccessError(
				'access/invalid',
				`${field} must have 1 to 255 letters, digits, dots, dashes and underscores, found '${text.slice(0, 60)}'`,
			);
		if (secretPattern.test(text))
			throw new AccessError(
				'access/invalid',
				`${field} '${text.slice(0, 60)}' names a secret: options are no place for one, and no name begins with 'credentials.'`,
			);
	}
	const isPolicy = category === policyOption.category && key === policyOption.key;
	if (value !== null && isPolicy && !securityTokenPolicies.some((policy) => policy === value))
		throw new AccessError(
			'access/invalid',
			`value of ${category}/${key} must be one of ${securityTokenPolicies.join(', ')}, found '${value.slice(0, 60)}'`,
		);
	if (value !== null && value.length > maxValueLength)
		throw new AccessError('access/invalid', `value has ${value.length} characters: at most ${maxValueLength} are stored`);
}

function notFound(category: string, key: string): AccessError {
	return new AccessError('access/notFound', `No option '${key.slice(0, 60)}' in category '${category.slice(0, 60)}'`);
}
