/** Contents in the GridFS of a MongoDB. */
export { type GridFsContentsOptions, openGridFsContents } from './gridfs-contents.ts';
