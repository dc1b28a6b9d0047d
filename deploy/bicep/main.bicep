// The servers in Azure Container Apps: three replicas over one Neo4j and one blob container, with one managed identity
// that reads the tenant, writes the artifacts and fetches the secrets. No key and no password is in this file or in
// its parameters: they are in a key vault that exists already.
targetScope = 'resourceGroup'

@description('Where everything is made.')
param location string = resourceGroup().location

@description('The start of all names.')
@minLength(2)
@maxLength(11)
param name string = 'atg'

@description('The image, with its tag or digest.')
param image string

@description('The registry that asks for a sign-in, for example example.azurecr.io; the identity then needs AcrPull there. Empty = none.')
param registryServer string = ''

@description('The address of Neo4j, for example neo4j+s://neo4j.example.com:7687.')
param neo4jUri string

@description('The user of Neo4j.')
param neo4jUser string = 'neo4j'

@description('The key vault of this resource group that holds the secrets; it decides by roles, not by access policies.')
param keyVaultName string

@description('The name of the secret that holds the password of Neo4j.')
param neo4jPasswordSecret string = 'atg-neo4j-password'

@description('The name of the secret that holds the first API keys, separated by commas; empty once stored keys have been made.')
param apiKeysSecret string = 'atg-api-keys'

@description('dev, integration or production.')
@allowed([
  'dev'
  'integration'
  'production'
])
param environmentName string = 'production'

@description('The only tenant that is served; empty = every tenant that the identity can read.')
param targetTenantId string = ''

@description('Addresses from which the proxy in front of the servers comes; empty = its word on callers does not count.')
param trustedProxies string = ''

@description('A subnet of the environment, delegated to Microsoft.App/environments: then it spans zones, and can reach a private Neo4j. Empty = none.')
param subnetId string = ''

@description('How many servers run.')
@minValue(1)
@maxValue(10)
param replicas int = 3

@description('How often blobs are copied: Standard_ZRS where the region has zones, else Standard_LRS.')
@allowed([
  'Standard_LRS'
  'Standard_ZRS'
  'Standard_GRS'
  'Standard_GZRS'
])
param storageSku string = 'Standard_ZRS'

// Built-in roles.
var storageBlobDataContributor = 'ba92f5b4-2d11-453d-a403-e96b0029c9fe'
var keyVaultSecretsUser = '4633458b-17de-408a-b874-0445c86b69e6'

var artifactContainer = 'artifacts'

resource identity 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' = {
  name: '${name}-identity'
  location: location
}

// ── Artifacts ───────────────────────────────────────────────────────────────────────────────────

resource storage 'Microsoft.Storage/storageAccounts@2026-04-01' = {
  name: '${toLower(replace(name, '-', ''))}${uniqueString(resourceGroup().id)}'
  location: location
  kind: 'StorageV2'
  sku: {
    name: storageSku
  }
  properties: {
    accessTier: 'Hot'
    allowBlobPublicAccess: false
    allowCrossTenantReplication: false
    // Nobody gets in with a key: the identity's role is the only way.
    allowSharedKeyAccess: false
    minimumTlsVersion: 'TLS1_2'
    supportsHttpsTrafficOnly: true
    publicNetworkAccess: 'Enabled'
    networkAcls: {
      bypass: 'AzureServices'
      defaultAction: empty(subnetId) ? 'Allow' : 'Deny'
      virtualNetworkRules: empty(subnetId) ? [] : [
        {
          id: subnetId
          action: 'Allow'
        }
      ]
    }
  }
}

resource blobs 'Microsoft.Storage/storageAccounts/blobServices@2026-04-01' = {
  parent: storage
  name: 'default'
  properties: {
    // The server removes what has passed its time; for a week after that a mistake can be undone.
    deleteRetentionPolicy: {
      enabled: true
      days: 7
    }
    containerDeleteRetentionPolicy: {
      enabled: true
      days: 7
    }
  }
}

resource artifacts 'Microsoft.Storage/storageAccounts/blobServices/containers@2026-04-01' = {
  parent: blobs
  name: artifactContainer
  properties: {
    publicAccess: 'None'
  }
}

resource artifactsWriter 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(artifacts.id, identity.id, storageBlobDataContributor)
  scope: artifacts
  properties: {
    principalId: identity.properties.principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', storageBlobDataContributor)
  }
}

// ── Secrets ─────────────────────────────────────────────────────────────────────────────────────

resource vault 'Microsoft.KeyVault/vaults@2026-02-01' existing = {
  name: keyVaultName
}

resource secretsReader 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(vault.id, identity.id, keyVaultSecretsUser)
  scope: vault
  properties: {
    principalId: identity.properties.principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', keyVaultSecretsUser)
  }
}

// ── Servers ─────────────────────────────────────────────────────────────────────────────────────

resource logs 'Microsoft.OperationalInsights/workspaces@2026-03-01' = {
  name: '${name}-logs'
  location: location
  properties: {
    retentionInDays: 30
    sku: {
      name: 'PerGB2018'
    }
  }
}

resource containerEnvironment 'Microsoft.App/managedEnvironments@2026-01-01' = {
  name: '${name}-environment'
  location: location
  properties: {
    appLogsConfiguration: {
      destination: 'log-analytics'
      logAnalyticsConfiguration: {
        customerId: logs.properties.customerId
        sharedKey: logs.listKeys().primarySharedKey
      }
    }
    vnetConfiguration: empty(subnetId) ? null : {
      infrastructureSubnetId: subnetId
      internal: false
    }
    zoneRedundant: !empty(subnetId)
    workloadProfiles: [
      {
        name: 'Consumption'
        workloadProfileType: 'Consumption'
      }
    ]
  }
}

resource app 'Microsoft.App/containerApps@2026-01-01' = {
  name: name
  location: location
  identity: {
    type: 'UserAssigned'
    userAssignedIdentities: {
      '${identity.id}': {}
    }
  }
  // The first start needs both roles.
  dependsOn: [
    artifactsWriter
    secretsReader
  ]
  properties: {
    environmentId: containerEnvironment.id
    workloadProfileName: 'Consumption'
    configuration: {
      activeRevisionsMode: 'Single'
      maxInactiveRevisions: 3
      ingress: {
        external: true
        targetPort: 8000
        // WebSockets too.
        transport: 'http'
        allowInsecure: false
        // Every server serves every reader.
        stickySessions: {
          affinity: 'none'
        }
      }
      registries: empty(registryServer) ? [] : [
        {
          server: registryServer
          identity: identity.id
        }
      ]
      // Without a version in their addresses: a new version of a secret is taken over by itself.
      secrets: concat([
        {
          name: 'neo4j-password'
          keyVaultUrl: '${vault.properties.vaultUri}secrets/${neo4jPasswordSecret}'
          identity: identity.id
        }
      ], empty(apiKeysSecret) ? [] : [
        {
          name: 'api-keys'
          keyVaultUrl: '${vault.properties.vaultUri}secrets/${apiKeysSecret}'
          identity: identity.id
        }
      ])
    }
    template: {
      // 35 s to drain, and a margin.
      terminationGracePeriodSeconds: 60
      scale: {
        // Jobs wait in the store, not in requests: load does not tell how many servers are needed.
        minReplicas: replicas
        maxReplicas: replicas
      }
      // Graph and jobs are in Neo4j, results in the blob container: no volume has to outlive a server.
      containers: [
        {
          name: 'server'
          image: image
          args: [
            'serve'
          ]
          resources: {
            cpu: json('0.5')
            memory: '1Gi'
          }
          env: concat([
            {
              name: 'ENVIRONMENT'
              value: environmentName
            }
            {
              name: 'ATG_PUBLIC_URL'
              value: 'https://${name}.${containerEnvironment.properties.defaultDomain}'
            }
            {
              name: 'ATG_TRUSTED_PROXIES'
              value: trustedProxies
            }
            {
              // On a port of its own, which the ingress does not lead to.
              name: 'ATG_METRICS_ADDR'
              value: '0.0.0.0:9464'
            }
            {
              name: 'ATG_LOG_FORMAT'
              value: 'json'
            }
            {
              name: 'ATG_TARGET_TENANT_ID'
              value: targetTenantId
            }
            {
              name: 'ATG_STORE'
              value: 'neo4j'
            }
            {
              name: 'NEO4J_URI'
              value: neo4jUri
            }
            {
              name: 'NEO4J_USER'
              value: neo4jUser
            }
            {
              name: 'NEO4J_PASSWORD'
              secretRef: 'neo4j-password'
            }
            {
              name: 'ATG_ARTIFACT_URL'
              value: 'az://${artifactContainer}'
            }
            {
              name: 'AZURE_STORAGE_ACCOUNT_NAME'
              value: storage.name
            }
            {
              name: 'ATG_USE_MANAGED_IDENTITY'
              value: 'true'
            }
            {
              // The identity is one of several that an app may have, so it is named.
              name: 'AZURE_CLIENT_ID'
              value: identity.properties.clientId
            }
          ], empty(apiKeysSecret) ? [] : [
            {
              name: 'ATG_API_KEYS'
              secretRef: 'api-keys'
            }
          ])
          probes: [
            {
              type: 'Startup'
              httpGet: {
                path: '/livez'
                port: 8000
              }
              periodSeconds: 5
              timeoutSeconds: 2
              failureThreshold: 36
            }
            {
              // Says nothing about the store: a restart would not bring Neo4j back.
              type: 'Liveness'
              httpGet: {
                path: '/livez'
                port: 8000
              }
              periodSeconds: 10
              timeoutSeconds: 3
              failureThreshold: 3
            }
            {
              type: 'Readiness'
              httpGet: {
                path: '/readyz'
                port: 8000
              }
              periodSeconds: 5
              timeoutSeconds: 3
              failureThreshold: 2
              successThreshold: 1
            }
          ]
        }
      ]
    }
  }
}

@description('Where clients reach the servers.')
output url string = 'https://${app.properties.configuration.ingress.fqdn}'

@description('Who needs Reader on the root management group and Directory.Read.All of Microsoft Graph.')
output principalId string = identity.properties.principalId
