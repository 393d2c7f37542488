import { z } from 'zod';
import { optional, secretText, setting, text, wholeNumber, yesOrNo } from './setting.ts';

const seconds = wholeNumber(1, 86_400);
const countOrNone = wholeNumber(0, 1_000_000_000);
const userName = text('1 to 255 characters without white space, slash or colon', /^[^\s/:]{1,255}$/);

/** The tenants of the service, and who looks after them. */
export const tenantSettings = z
	.object({
		id: setting(
			'TENANT_ID',
			text(
				'1 to 32 letters and digits, a letter first, and not management, which is the tenant of the service itself',
				/^(?!management$)[A-Za-z][A-Za-z0-9]{0,31}$/,
			),
			't1',
			'Id of the tenant that is created at the first start.',
		),
		adminUsername: setting('ADMIN_USERNAME', userName, 'admin', "Name of the tenant's administrator."),
		adminPassword: optional(
			'ADMIN_PASSWORD',
			secretText,
			"Password of the tenant's administrator, set when it is given for the first time, and again when another one is given: what the administrator chose in between stays. It has to be one that somebody may choose. Unset, one is generated at the first start and printed once.",
		),
		managementUsername: setting(
			'MANAGEMENT_ADMIN_USERNAME',
			userName,
			'admin',
			'Name of the administrator of the tenant `management`, who creates, suspends and deletes tenants.',
		),
		managementPassword: optional(
			'MANAGEMENT_ADMIN_PASSWORD',
			secretText,
			'Password of that administrator; everything else as with ADMIN_PASSWORD.',
		),
		hostSuffix: optional(
			'TENANT_HOST_SUFFIX',
			text('a host name', /^[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?$/),
			'Host name below which each tenant has its own: with `iot.example.com`, whoever names no tenant at `abc.iot.example.com` means the tenant `abc`.',
		),
		devicesMax: setting(
			'TENANT_DEVICES_MAX',
			countOrNone,
			0,
			'How many devices, child devices included, a tenant may have, unless the management tenant set another limit for it; 0 means no limit.',
		),
		packagesMax: setting(
			'TENANT_PACKAGES_MAX',
			countOrNone,
			0,
			'How many packages all devices of a tenant may have together, unless the management tenant set another limit for it; 0 means no limit.',
		),
		requestsPerSecond: setting(
			'TENANT_REQUESTS_PER_SECOND',
			countOrNone,
			0,
			'How many HTTP requests a second each process takes of one tenant, unless the management tenant set another limit for it; 0 means no limit.',
		),
		removalSeconds: setting(
			'TENANT_REMOVAL_SECONDS',
			seconds,
			5,
			'Seconds between two looks for tenants that are to be deleted.',
		),
		removalGraceSeconds: setting(
			'TENANT_REMOVAL_GRACE_SECONDS',
			wholeNumber(0, 86_400),
			180,
			'Seconds after the deletion of a tenant in which requests that were under way may still write something: until then its id stays taken.',
		),
		bootstrapPassword: optional(
			'BOOTSTRAP_PASSWORD',
			secretText,
			'Password of `management/devicebootstrap`, with which devices ask for credentials; everything else as with ADMIN_PASSWORD.',
		),
		showAdvancedList: setting(
			'SHOW_ADVANCED_LIST_IN_INVENTORY',
			yesOrNo,
			false,
			'Whether a device that is read by its id shows an advanced software list as `c8y_SoftwareList`, for tools that look only there.',
		),
		deviceAutoCreation: setting(
			'DEVICE_AUTO_CREATION',
			yesOrNo,
			true,
			'Whether the first MQTT message of an unknown client id creates its device.',
		),
	})
	.describe('Tenant');
