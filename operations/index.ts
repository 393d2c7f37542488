/** Everything about operations, on one store. */

export { type Operation, type OperationId, operationServerFields, parseOperationId } from './operation.ts';
export type { NewOperation } from './operation-creation.ts';
/** Refusals. */
export { OperationError, type OperationErrorCode } from './operation-error.ts';
/** Reports of devices. */
export { type Ending, type Receipt, unknownReason } from './operation-reports.ts';
/** Wanted software. */
export type { OperationLimits } from './operation-rules.ts';
/** The statuses and what may follow what. */
export { nextStatus, type OperationStatus, operationStatuses, operationTransitions } from './operation-status.ts';
/** Figures over all tenants. */
export type { OperationSurvey } from './operation-survey.ts';
export {
	type OperationChange,
	type OperationFilter,
	type Operations,
	openOperations,
	operationCollections,
} from './operations.ts';
export {
	completeList,
	hasSoftwareTypes,
	type SoftwareAction,
	type SoftwareItem,
	toSoftwareItem,
	withTypeOfVersion,
} from './software-items.ts';
