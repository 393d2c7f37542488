import type { CertificateSettings } from '../../access/index.ts';

export const certificateSettings: CertificateSettings = {
	maxPerTenant: 50,
	maxPerDevice: 3,
	codeSeconds: 3600,
	proofAlways: false,
	refuseOverdueLists: true,
	authority: { secret: 'secret of authorities in tests', authorityDays: 100, deviceDays: 10 },
};
