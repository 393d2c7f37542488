/** Whether a Content-Type is JSON of any vendor: in any case, with any parameters, with a dangling semicolon. */
export function isJsonType(contentType: string): boolean {
	const type = bareType(contentType);
	return type === 'application/json' || type === 'text/json' || (type.startsWith('application/') && type.endsWith('+json'));
}

/** Whether a Content-Type is a form in the way of a query string. */
export function isFormType(contentType: string): boolean {
	return bareType(contentType) === 'application/x-www-form-urlencoded';
}

function bareType(contentType: string): string {
	const semicolon = contentType.indexOf(';');
	return (semicolon < 0 ? contentType : contentType.slice(0, semicolon)).trim().toLowerCase();
}
