import { type Setting, settings } from '../../config/index.ts';
import { pageHead, table } from './markdown.ts';

const introduction = `
Settings come from environment variables, or from a JSON file named by \`CONFIG_FILE\` that holds them under the same names:

\`\`\`json
{ "HTTP_PORT": 8080, "LOG_LEVEL": "debug" }
\`\`\`

The environment wins over the file; an empty variable counts as unset. Names in the environment are not checked, for it holds those of other programs, too: \`--print-config\` shows what was understood. A wrong value, or a name in the file that is not on this page,
stops the start, and all faults are reported at once. \`npm start -- --print-config\` shows every value and where it comes from, with secrets hidden.
`;

/** The reference page of all settings. */
export function renderConfiguration(): string {
	const titles = [...new Set(settings.map(({ groupTitle }) => groupTitle))];
	const sections = titles.map((title) => {
		const rows = settings.filter(({ groupTitle }) => groupTitle === title).map(row);
		return `\n## ${title}\n\n${table(['name', 'meaning', 'value', 'default'], rows)}`;
	});
	return pageHead('Configuration', 'config/schema.ts') + introduction + sections.join('');
}

function row({ name, meaning, right, secret, value }: Setting): string[] {
	const shown = value === undefined ? 'unset' : `\`${String(value)}\``;
	return [`\`${name}\``, secret ? `${meaning} Secret.` : meaning, right, shown];
}
