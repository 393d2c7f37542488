import { expect } from 'chai';
import {
	type ContentOf,
	decode,
	type MessageOf,
	type UpstreamMessage,
	type UpstreamTemplateName,
} from '../../../smartrest/index.ts';

type Handlers = { [Name in UpstreamTemplateName]: (message: MessageOf<Name>) => string };
type SomeHandlers = Pick<Handlers, 'SetAdvancedSoftwareList' | 'SetOperationToFailed'>;

const handlers: SomeHandlers = {
	SetAdvancedSoftwareList: ({ items }) => items.map(({ name, type }) => `${name} of ${type}`).join(' '),
	SetOperationToFailed: ({ fields }) => fields.reason,
};

/** Handlers are typed each by its own template: this calls the right one without a cast. */
function dispatch<Name extends keyof SomeHandlers>(message: MessageOf<Name>): string {
	return handlers[message.template](message);
}

describe('smartrest/message', () => {
	it('lets a table of handlers take each message as its own type', () => {
		const texts = decode('140,a,1,apt\n502,c8y_Restart,no power').map((line) => {
			if (!line.ok || !isHandled(line.message)) throw new Error('the line was not decoded as its template');
			return dispatch(line.message);
		});
		expect(texts).to.deep.equal(['a of apt', 'no power']);
	});

	it('does not compile without a handler for each template', () => {
		// @ts-expect-error 502 has no handler
		const incomplete: SomeHandlers = { SetAdvancedSoftwareList: handlers.SetAdvancedSoftwareList };
		expect(incomplete).to.have.all.keys('SetAdvancedSoftwareList');
	});

	it('does not compile for a parameter that the template has not', () => {
		// @ts-expect-error 502 has no version
		const wrong: Partial<Handlers> = { SetOperationToFailed: ({ fields }) => fields.version };
		expect(wrong).to.have.all.keys('SetOperationToFailed');
	});

	it('does not compile for content that lacks a mandatory parameter', () => {
		// @ts-expect-error 528 needs an action
		const content: ContentOf<'UpdateSoftware'> = { fields: { externalId: 'serial' }, items: [{ name: 'a' }] };
		expect(content.items).to.have.length(1);
	});
});

function isHandled(message: UpstreamMessage): message is MessageOf<keyof SomeHandlers> {
	return message.template in handlers;
}
