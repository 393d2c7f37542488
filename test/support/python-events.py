"""What the tests of thin-edge.io ask about events; called with address, tenant, user and password, prints what was found as JSON."""

import json
import sys
import tempfile

from c8y_api import CumulocityApi
from c8y_api.model import Device, Event

base_url, tenant, user, password = sys.argv[1:]
c8y = CumulocityApi(base_url=base_url, tenant_id=tenant, username=user, password=password)
source = Device(c8y, type='t', name='logs').create().id
log_type = 'software_update_op_log'

plain = Event(c8y, type='other', time='2026-11-22T10:00:00Z', source=source, text='other', x_own={'a': 1}).create()
event = Event(c8y, type=log_type, time='now', source=source, text='log').create()
with tempfile.NamedTemporaryFile(suffix='.log') as log:
    log.write(b'what happened')
    log.flush()
    attached = event.create_attachment(log.name, 'text/plain')
found = c8y.events.get_all(type=log_type, source=source)

result = {
    'fragment': c8y.events.get(plain.id).x_own.a,
    'found': [each.id == event.id for each in found],
    'attached': [each.has_attachment() for each in c8y.events.get_all(source=source)],
    'length': attached['length'],
    'read': found[0].download_attachment().decode(),
    'before': [each.text for each in c8y.events.get_all(source=source, before='2026-11-22T10:00:00Z')],
    'newest last': [each.text for each in c8y.events.get_all(source=source, reverse=True)],
    'count': c8y.events.get_count(source=source),
}
event.delete_attachment()
event.delete()
print(json.dumps({**result, 'left': len(c8y.events.get_all(source=source))}))
