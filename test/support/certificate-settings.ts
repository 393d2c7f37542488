import type { CertificateSettings } from '../../access/index.ts';

export const certificateSettings: CertificateSettings = {
	maxPerTenant: 50,
	codeSeconds: 3600,
	proofAlways: false,
	refuseOverdueLists: true,
};
