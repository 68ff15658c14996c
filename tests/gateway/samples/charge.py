# The document's sample in Python, section "A. Python (Requests)", as it is printed.
import requests
import json

url = "http://localhost:5000/charge"

payload = {
    "order_id": "TAGIHAN-001",
    "amount": 50000,
    "customer_details": {
        "first_name": "Andri",
        "email": "andri@example.com",
        "phone": "08123456789"
    }
}

headers = {
    'X-App-Code': 'biling',
    'X-Api-Key': '00000000000000000000000000000000', # Ganti dengan API Key asli
    'Content-Type': 'application/json'
}

try:
    response = requests.post(url, headers=headers, json=payload)
    if response.status_code == 201:
        data = response.json()
        print("Link Bayar:", data['redirect_url'])
    else:
        print("Error:", response.text)
except Exception as e:
    print(e)
