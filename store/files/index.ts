/** Contents as files in a directory. */
export { type FileContentsOptions, openFileContents } from './file-contents.ts';
