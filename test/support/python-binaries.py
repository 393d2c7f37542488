"""What a user of c8y_api does with binaries; called with address, tenant, user and password, prints what was found as JSON."""

import io
import json
import sys
import tempfile

from c8y_api import CumulocityApi
from c8y_api.model import Binary

base_url, tenant, user, password = sys.argv[1:]
c8y = CumulocityApi(base_url=base_url, tenant_id=tenant, username=user, password=password)

content = bytes(range(256)) * 400
with tempfile.NamedTemporaryFile(suffix='.deb') as file:
    file.write(content)
    file.flush()
    created = Binary(c8y=c8y, type='application/x-deb', name='tool.deb', file=file.name, c8y_Global={}).create()
uploaded = c8y.binaries.upload(file=io.BytesIO(content), name='again.deb', type='text/plain')
listed = sorted(binary.name for binary in c8y.binaries.get_all(limit=10))
read = created.read_file() == content and c8y.binaries.read_file(uploaded.id) == content
c8y.binaries.update(created.id, io.BytesIO(b'replaced'), 'text/plain')
replaced = c8y.binaries.read_file(created.id).decode()
fragment = c8y.inventory.get(created.id)['c8y_Global'] is not None
c8y.binaries.delete(created.id, uploaded.id)
try:
    c8y.binaries.read_file(created.id)
    gone = False
except KeyError:
    gone = True

print(json.dumps({
    'listed': listed,
    'read': read,
    'replaced': replaced,
    'fragment': fragment,
    'gone': gone,
}))
