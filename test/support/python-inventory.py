"""What a user of c8y_api, and tests built on it, do with inventory, repository and operations.

Called with address, tenant, user, password, the serial of a device that has one child and one service;
prints what was found as JSON.
"""

import json
import sys

from c8y_api import CumulocityApi
from c8y_api.model import Binary, ManagedObject, Operation

base_url, tenant, user, password, serial = sys.argv[1:]
c8y = CumulocityApi(base_url=base_url, tenant_id=tenant, username=user, password=password)
found = {}

# The device, as the assertions of thin-edge's tests look at it.
device_id = c8y.identity.get_id(serial, 'c8y_Serial')
device = c8y.inventory.get(device_id)
found['owner'] = device.owner
found['children'] = [child.name for child in device.child_devices]
found['supported'] = list(device['c8y_SupportedOperations'])
found['agent'] = device['c8y_Agent']['name']
found['firmware'] = device['c8y_Firmware']['version']
found['interval'] = device['c8y_RequiredAvailability']['responseInterval']
found['types'] = list(device['c8y_SupportedSoftwareTypes'])
found['externalIds'] = [each.external_id for each in c8y.identity.get_all(device_id)]
found['devices'] = [each.name for each in c8y.device_inventory.get_all(name='Python device', page_size=1000)]
services = c8y.get(
    f'/inventory/managedObjects/{device_id}/childAdditions',
    params={'query': "$filter=(type eq 'c8y_Service') and (status eq 'up')", 'pageSize': 2000},
)
found['services'] = [
    [each['managedObject'][name] for name in ('name', 'serviceType', 'status')] for each in services['references']
]
for count in (2, 10, 1500, 3000):
    packages = [{'name': f'p{n}', 'version': '1', 'softwareType': 'apt', 'url': ''} for n in range(count)]
    c8y.put(f'/inventory/managedObjects/{device_id}', json={'c8y_SoftwareList': packages})
    assert len(c8y.inventory.get(device_id)['c8y_SoftwareList']) == count, count
c8y.put(f'/inventory/managedObjects/{device_id}', json={'c8y_SupportedSoftwareTypes': None})
found['typesGone'] = 'c8y_SupportedSoftwareTypes' not in c8y.inventory.get(device_id)

# The repository.
software = ManagedObject(c8y, type='c8y_Software', name="O'Brien x", softwareType='apt', c8y_Global={}).create()
uploaded = Binary(c8y=c8y, type='application/x-deb', name='tool.deb', file=__file__, c8y_Global={}).create()
url = f'{base_url}/inventory/binaries/{uploaded.id}'
version = ManagedObject(c8y, type='c8y_SoftwareBinary', c8y_Software={'version': '1.0', 'url': url}).create()
software.add_child_addition(version)
version.add_child_addition(uploaded.id)
found['byName'] = [each.id == software.id for each in c8y.inventory.get_all(
    fragments=['c8y_Global'], name="O'Brien x*", type='c8y_Software', order_by='name')]
found['byParent'] = [each.id == version.id for each in c8y.inventory.get_all(
    parent=software.id, type='c8y_SoftwareBinary', owner=user)]
found['count'] = [c8y.inventory.get_count(type='c8y_Software'), c8y.inventory.get_count(type='nothing')]
software['description'] = 'edited'
software.update()
found['edited'] = c8y.inventory.get(software.id)['description']
found['versions'] = [child.id == version.id for child in c8y.inventory.get(software.id).child_additions]

# Operations: the younger one ends first, by id; one is cancelled.
item = {'name': 'tool', 'version': '1.0', 'url': url, 'softwareType': 'apt', 'action': 'install'}
older, younger = [Operation(c8y, device_id, c8y_SoftwareUpdate=[item]).create() for _ in range(2)]
for operation, status in ((younger, 'SUCCESSFUL'), (older, 'FAILED')):
    operation.status = status
    operation.failureReason = 'Cancelled operation'
    operation.update()
found['operations'] = [c8y.operations.get(each.id).status for each in (older, younger)]
found['last'] = c8y.operations.get_last(device_id=device_id).id == younger.id

software.unassign_child_addition(version)
software.add_child_addition(version)
c8y.delete(f'/inventory/managedObjects/{software.id}', params={'forceCascade': True, 'withDeviceUser': False})
found['left'] = [len(c8y.inventory.get_all(type=each)) for each in ('c8y_Software', 'c8y_SoftwareBinary')]
try:
    c8y.inventory.get(version.id)
except KeyError as error:
    found['missing'] = 'KeyError'
found['binaries'] = c8y.binaries.get_count()

print(json.dumps(found))
