"""How a user of c8y_api logs in; called with address, tenant, user and password, prints what was found as JSON."""

import json
import sys

from c8y_api import CumulocityApi, HTTPBearerAuth, UnauthorizedError

base_url, tenant, user, password = sys.argv[1:]


def name_of(c8y):
    return c8y.get('/tenant/currentTenant')['name']


def outcome(action):
    try:
        return action()
    except UnauthorizedError as error:
        return str(error)


token, xsrf_token = CumulocityApi.authenticate(base_url, tenant, user, password)
by_token = CumulocityApi(base_url=base_url, tenant_id=tenant, auth=HTTPBearerAuth(token))
created = by_token.post('/inventory/managedObjects', json={'name': 'made with a token'})

print(json.dumps({
    'basic': name_of(CumulocityApi(base_url=base_url, tenant_id=tenant, username=user, password=password)),
    'token': name_of(by_token),
    'owner': created['owner'],
    'user': by_token.username,
    'xsrf': len(xsrf_token) > 0,
    'wrong password': outcome(lambda: CumulocityApi.authenticate(base_url, tenant, user, 'wrong')),
    'wrong token': outcome(lambda: name_of(CumulocityApi(base_url, tenant, auth=HTTPBearerAuth(token[:-4] + 'AAAA')))),
}))
