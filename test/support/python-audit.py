"""What a user of c8y_api does with audit records: list them by filters, read one, add one.

Called with address, tenant, user, password, the serial of a device that was renamed; prints what was found as JSON.
"""

import json
import sys

from c8y_api import CumulocityApi
from c8y_api.model import AuditRecord

base_url, tenant, user, password, serial = sys.argv[1:]
c8y = CumulocityApi(base_url=base_url, tenant_id=tenant, username=user, password=password)
found = {}

device_id = c8y.identity.get_id(serial, 'c8y_Serial')
own = c8y.audit_records.get_all(source=device_id)
found['activities'] = [each.activity for each in own]
found['users'] = sorted({each.user for each in own})
last = c8y.audit_records.get_all(source=device_id, type='Inventory', reverse=True, limit=1)[0]
# Its own records leave out source and changes.
changes = c8y.get(f'/audit/auditRecords/{last.id}')['changes']
found['last'] = [[each[name] for name in ('attribute', 'previousValue', 'newValue')] for each in changes]
found['source'] = c8y.audit_records.get_all(source=device_id, limit=1, as_values=['source.id', 'activity']) == [
    (device_id, own[0].activity)
]
found['same'] = c8y.audit_records.get(last.id).text == last.text
found['newest first'] = [each.id for each in c8y.audit_records.get_all(source=device_id, reverse=True)] == [
    each.id for each in reversed(own)
]
found['pages'] = len(c8y.audit_records.get_all(source=device_id, page_size=1)) == len(own)
found['by user'] = len(c8y.audit_records.get_all(user='nobody'))
found['lately'] = len(c8y.audit_records.get_all(source=device_id, after='2020-01-01T00:00:00Z')) == len(own)
found['before'] = len(c8y.audit_records.get_all(source=device_id, before='2020-01-01T00:00:00Z'))
made = AuditRecord(
    c8y, type='Tool', time='now', source=device_id, application='tool', activity='Checked', text='by hand',
    severity=AuditRecord.Severity.INFORMATION, user=user,
)
c8y.audit_records.create(made)
found['made'] = [[each.activity, each.application] for each in c8y.audit_records.get_all(type='Tool')]

print(json.dumps(found))
