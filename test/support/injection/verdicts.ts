/**
 * Where text from outside may be anything, because it is the client's own and only given back; everywhere else a hostile text is
 * refused. The first row that fits decides; a row that nothing needs fails the test.
 */
export interface Verdict {
	readonly route: RegExp;
	readonly field: RegExp;
	/** Given back: in the answer, and stored. Stored: the answer has no body, or another. Ignored: neither. */
	readonly outcome: 'given back' | 'stored' | 'ignored' | 'hidden';
	readonly why: string;
}

export const verdicts: readonly Verdict[] = [
	{
		route: /^(POST|PUT) \/inventory\/managedObjects(\/\{id\})?(\/childDevices)?$/,
		field: /^(name|type|x_Fragment.*)$/,
		outcome: 'given back',
		why: 'names, types and what is in fragments are the client’s own; queries compare them and never read them as a language',
	},
	{
		route: /^POST \/inventory\/managedObjects\/\{id\}\/child(Assets|Additions)$/,
		field: /^(name|type|c8y_SoftwareList|managedObject|references)$/,
		outcome: 'ignored',
		why: 'a reference is all that is read of a body that has one',
	},
	{
		route: /^(POST|PUT) \/devicecontrol\/operations/,
		field: /^(description|failureReason|x_Fragment.*)$/,
		outcome: 'given back',
		why: 'as in the inventory',
	},
	{
		route: /^POST \/event\/events$/,
		field: /^(type|text|x_Fragment.*)$/,
		outcome: 'given back',
		why: 'what a device tells, in its words',
	},
	{
		route: /^POST \/service\/advanced-software-mgmt\/software\/changes$/,
		field: /^(name|version|softwareType|url)$/,
		outcome: 'given back',
		why: 'packages are named by those who make them: a name that is a formula or an operator is a name',
	},
	{
		route: /^(POST|PUT) \/service\/advanced-software-mgmt\/software$/,
		field: /^(name|version|softwareType|url)$/,
		outcome: 'stored',
		why: 'the same; an empty type or address is none',
	},
	{
		route: /^DELETE \/service\/advanced-software-mgmt\/software$/,
		field: /^(name|version)$/,
		outcome: 'ignored',
		why: 'nothing of such a name is there',
	},
	{
		route: /^POST \/identity\/globalIds/,
		field: /^(type|externalId)$/,
		outcome: 'given back',
		why: 'external ids are given by other systems; control characters are refused',
	},
	{
		route: /^POST \/devicecontrol\/newDeviceRequests$/,
		field: /^(id|type)$/,
		outcome: 'given back',
		why: 'a serial may have any characters but those that topics, user names and SmartREST are made of',
	},
	{
		route: /^POST \/audit\/auditRecords$/,
		field: /^(type|activity|text|user|application|source\.id)$/,
		outcome: 'given back',
		why: 'a record says what others saw, in their words',
	},
	{
		route: /^POST \/tenant\/options$/,
		field: /^(category|key)$/,
		outcome: 'given back',
		why: 'of letters, digits, dots, dashes',
	},
	{
		route: /^(POST|PUT) \/tenant\/options/,
		field: /^(value|a)$/,
		outcome: 'given back',
		why: 'values are for the tenant’s tools',
	},
	{
		route: /^PUT \/user\/(currentUser|\{tenant\}\/users\/\{id\})$/,
		field: /^customProperties/,
		outcome: 'given back',
		why: 'the tools’ own',
	},
	{
		route: /^(POST|PUT) \/user\/(currentUser|\{tenant\}\/users(\/\{id\})?)$/,
		field: /^(displayName|email|firstName|lastName|phone|enabled|shouldResetPassword)$/,
		outcome: 'given back',
		why: 'people name themselves; control characters are refused',
	},
	{ route: /^PUT \/user\/\{tenant\}\/users\/\{id\}$/, field: /^password$/, outcome: 'hidden', why: 'kept as a hash' },
	{
		route: /^POST \/user\/\{tenant\}\/users$/,
		field: /^userName$/,
		outcome: 'given back',
		why: 'without what user names are taken apart by',
	},
	{ route: /^POST \/user\/\{tenant\}\/groups$/, field: /^name$/, outcome: 'given back', why: 'control characters are refused' },
	{
		route: /^(POST|PUT) \/user\/\{tenant\}\/groups(\/\{id\})?$/,
		field: /^description$/,
		outcome: 'given back',
		why: 'for readers',
	},
	{
		route: /^POST \/user\/\{tenant\}\/groups\/\{id\}\/users$/,
		field: /^user\.id$/,
		outcome: 'given back',
		why: 'users of these names were made above',
	},
	{
		route: /^(POST|PUT) \/tenant\/tenants(\/\{id\})?$/,
		field: /^(company|contactName|contactPhone|adminEmail)$/,
		outcome: 'given back',
		why: 'for readers',
	},
	{ route: /^PUT \/tenant\/tenants\/\{id\}$/, field: /^domain$/, outcome: 'ignored', why: 'host names, in lower case' },
	{ route: /^PUT \/tenant\/tenants\/\{id\}$/, field: /^adminPass$/, outcome: 'hidden', why: 'kept as a hash' },
	{ route: /^PUT \/tenant\/tenants\/\{id\}$/, field: /^limits/, outcome: 'ignored', why: 'limits of other names are read over' },
	{
		route: /^PUT .*\/trusted-certificates\/\{fingerprint\}$/,
		field: /^(name|autoRegistrationEnabled)$/,
		outcome: 'given back',
		why: 'a name for readers',
	},
];

/** Words by which a refusal names a field in place of its own name. */
export const aliases: Readonly<Record<string, RegExp>> = {
	adminName: /^userName /,
	adminPass: /password/,
	proofOfPossessionSignedVerificationCode: /signature/,
	// What is missing before any token counts.
	securityToken: /cannot be accepted yet/,
	'role.id': /^roles /,
	'roles.id': /^roles /,
};

/** Parameters of calls that change something, which may be such texts. */
export const takenParameters: readonly { readonly route: RegExp; readonly name: RegExp; readonly why: string }[] = [
	{ route: /^(PUT|DELETE) \/tenant\/options\//, name: /^(category|key)$/, why: 'of letters, digits, dots, dashes' },
	{ route: /^DELETE \/devicecontrol\/operations$/, name: /^(deviceId|agentId|fragmentType)$/, why: 'no operation is like that' },
	{ route: /^DELETE \/event\/events$/, name: /^(source|type)$/, why: 'no event is like that' },
	{
		route: /^DELETE .*\/groups\/\{id\}\/roles\/\{role\}$/,
		name: /^role$/,
		why: 'the group has no such role, and still has all others',
	},
];
